/** 0: done · failed: also a job that has no result · interrupted: as a shell tells of a program that Ctrl-C ended. */
export const exitCodes = { failed: 1, wrongUse: 2, tooLate: 3, interrupted: 130 } as const;
