/** Headstone's version. It is written here because bundlers drop package.json. A test compares them. */
export const VERSION = '0.1.0';
