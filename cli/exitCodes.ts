/** The exit codes of `npm run preview` beside 0 and 1. */
export const previewExitCodes = { different: 2, violation: 3 } as const;
