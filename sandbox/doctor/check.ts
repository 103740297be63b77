/** One finding about this machine. */
export interface DoctorCheck {
  readonly id: string;
  /**
   * `ok`; `warning`: something works less well or will take time; `missing`: something that was
   * asked for cannot work; `repaired`: it was wrong and has just been put right.
   */
  readonly verdict: 'ok' | 'warning' | 'missing' | 'repaired';
  /** What was found. */
  readonly evidence: string;
  /** What to do; absent where nothing needs doing. */
  readonly fix?: string;
}
