/** `failed` includes a job that ended without a result. `interrupted` is what shells report after Ctrl-C. */
export const exitCodes = { failed: 1, wrongUse: 2, tooLate: 3, interrupted: 130 } as const;
