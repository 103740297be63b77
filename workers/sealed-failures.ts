// The SDK loads this module by its path; see encryption.ts.
import { DefaultFailureConverter } from '@temporalio/common';

/** Turns the text and the stack of an error into a payload, which the codec then seals. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
