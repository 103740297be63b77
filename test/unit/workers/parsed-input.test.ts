import { describe, expect, test } from '@jest/globals';
import { createContracts } from '../../../activities/contracts/index.ts';
import { catalogue } from '../../../contracts/catalogue.ts';
import { deployService } from '../../../contracts/delivery/deploy-service.ts';

const contracts = createContracts({ timeoutProfile: 'test' });
const parse = (value: unknown, contract = 'DEL-04') => contracts.parse({ contract, value });

describe('the input of a run', () => {
  test.each([...catalogue])('of $id comes back with its defaults applied', async (row) => {
    const parsed = await parse(row.example, row.id);
    expect(parsed).toEqual({ value: row.input.parse(row.example), timeoutProfile: 'test' });
  });

  test('that is wrong is refused with every field and reason at once', async () => {
    const { requestedBy: _left, ...rest } = deployService.example;
    const wrong = {
      ...rest,
      service: 'Shop',
      replicas: 3,
      smoke: [{ path: 'healthz', status: 200 }],
      notify: [{ webhook: 'ftp://example.com' }],
    };
    await expect(parse(wrong)).rejects.toMatchObject({ type: 'INVALID_INPUT', nonRetryable: true });
    const message = await parse(wrong).catch((error: unknown) => String(error));
    expect(message).toContain('service: must consist of lower-case letters, digits and hyphens');
    expect(message).toContain('smoke[0].path: ');
    expect(message).toContain('smoke[0].status: there is no such field');
    expect(message).toContain('notify[0].webhook: ');
    expect(message).toContain('requestedBy: ');
    expect(message).toContain('replicas: there is no such field');
  });

  test.each([undefined, null, 'shop', []])('that is no object (%p) is refused', async (value) => {
    await expect(parse(value)).rejects.toMatchObject({ type: 'INVALID_INPUT' });
  });

  test('of a use case that this worker does not know is refused', async () => {
    await expect(parse({}, 'DEL-99')).rejects.toMatchObject({
      type: 'INVALID_INPUT',
      message: expect.stringContaining('DEL-99'),
    });
  });
});
