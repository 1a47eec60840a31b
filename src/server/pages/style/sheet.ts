import { ground } from './ground.ts';
import { lists } from './lists.ts';
import { stories } from './stories.ts';

/** The style sheet of all pages, light and dark, for small and large screens. It is a string, because compilers copy no CSS files. */
export const styleSheet = [ground, lists, stories].join('');
