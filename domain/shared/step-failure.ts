/** A failure as decisions see it: the code says what kind, the message what happened. */
export interface StepFailure {
  code: string;
  message: string;
  next?: string | undefined;
  subject?: string | undefined;
}
