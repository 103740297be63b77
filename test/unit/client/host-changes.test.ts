import { describe, expect, it } from '@jest/globals';
import { hostChangesAgreed } from '../../../client/cli/config.ts';

describe('agreement to changes of the host', () => {
  it('is given by HOLDFAST_YES=1', () => {
    expect(hostChangesAgreed({ HOLDFAST_YES: '1' })).toBe(true);
  });

  it.each([undefined, '', '0', 'no', 'false'])('is not given by HOLDFAST_YES=%s', (value) => {
    expect(hostChangesAgreed({ HOLDFAST_YES: value })).toBe(false);
  });
});
