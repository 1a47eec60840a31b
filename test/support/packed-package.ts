import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../tools/run-file.ts';

export interface PackedPackage {
  tarball: string;
  /** Creates a project from an example, with this package and the others installed. Returns its folder. */
  install(example: string, ...others: string[]): string;
  remove(): void;
}

/** The package as npm packs it, for projects outside this checkout. */
export function packPackage(): PackedPackage {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-package-'));
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync('npm', [...args, '--loglevel=error', '--no-fund', '--no-audit'], { cwd, encoding: 'utf8' });
  // It is built from a copy, because another test may be reading this checkout.
  const source = join(folder, 'source');
  cpSync(root, source, { recursive: true, filter: path => !/[/\\](node_modules|dist|\.git|docs)$/.test(path) });
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
  npm(source, 'pack', '--pack-destination', folder);
  const tarball = join(folder, readdirSync(folder).find(name => name.endsWith('.tgz')) ?? '');
  return {
    tarball,
    install(example, ...others) {
      const project = join(folder, example);
      cpSync(join(root, 'examples', example), project, { recursive: true });
      npm(project, 'install', tarball, ...others);
      return project;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
