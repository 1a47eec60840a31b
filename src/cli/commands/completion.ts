import { Argument, Command } from 'commander';
import { print, withExamples } from '../terminal/output.ts';
import { catalog } from './catalog.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export function completionCommand(): Command {
  return withExamples(
    new Command('completion')
      .addArgument(new Argument('<shell>').choices(shells))
      .action(async (shell: (typeof shells)[number]) => print(await scriptFor(shell))),
    'headstone completion bash > /etc/bash_completion.d/headstone',
    'headstone completion zsh > /usr/local/share/zsh/site-functions/_headstone',
    'headstone completion fish > ~/.config/fish/completions/headstone.fish',
  );
}

interface Known {
  name: string;
  about: string;
  options: { long: string; about: string; takesValue: boolean }[];
  /** Its subcommands, and the values that its first argument may have. */
  words: string[];
}

async function scriptFor(shell: (typeof shells)[number]): Promise<string> {
  const known = await Promise.all(
    catalog.map(async ({ name, about, isClient, load }) => describe(name, about, await load(), isClient)),
  );
  known.push({ name: 'completion', about: 'print this script', options: [], words: [...shells] });
  return { bash, zsh, fish }[shell](known);
}

function describe(name: string, about: string, command: Command, isClient: boolean): Known {
  const options = command.options.flatMap(({ long, description, required, optional }) =>
    long ? [{ long, about: description, takesValue: required || optional }] : [],
  );
  return {
    name,
    about,
    options: [
      ...options,
      ...(isClient ? [{ long: '--server', about: 'use this Headstone server', takesValue: true }] : []),
      { long: '--help', about: 'display help for the command', takesValue: false },
    ],
    words: [...command.commands.map(one => one.name()), ...(command.registeredArguments[0]?.argChoices ?? [])],
  };
}

function bash(known: Known[]): string {
  const cases = known.map(
    ({ name, options, words }) => `    ${name}) words="${[...words, ...options.map(({ long }) => long)].join(' ')}" ;;`,
  );
  return `# bash completion for headstone
_headstone() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${known.map(({ name }) => name).join(' ')} help --version --help"
  else
    case "\${COMP_WORDS[1]}" in
    help) words="${known.map(({ name }) => name).join(' ')}" ;;
${cases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _headstone headstone`;
}

function zsh(known: Known[]): string {
  const commands = known.map(({ name, about }) => `    '${name}:${quoted(about)}'`);
  const cases = known.map(({ name, options, words }) => {
    const specs = options.map(
      ({ long, about, takesValue }) => `'${long}[${quoted(about)}]${takesValue ? ':value:' : ''}'`,
    );
    const first = words.length > 0 ? [`'1:what:(${words.join(' ')})'`] : [];
    return `    ${name}) _arguments ${[...first, ...specs].join(' ')} ;;`;
  });
  return `#compdef headstone
_headstone() {
  local -a commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join('\n')}
  esac
}
_headstone "$@"`;
}

function fish(known: Known[]): string {
  const lines = known.flatMap(({ name, about, options, words }) => [
    `complete -c headstone -n __fish_use_subcommand -f -a ${name} -d '${quoted(about)}'`,
    ...(words.length > 0
      ? [`complete -c headstone -n '__fish_seen_subcommand_from ${name}' -f -a '${words.join(' ')}'`]
      : []),
    ...options.map(
      ({ long, about: meaning, takesValue }) =>
        `complete -c headstone -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)}${takesValue ? ' -r' : ''} -d '${quoted(meaning)}'`,
    ),
  ]);
  return ['# fish completion for headstone', ...lines].join('\n');
}

/** A description inside single quotes, and inside the brackets of zsh. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replaceAll(/[[\]:]/g, ' ');
}
