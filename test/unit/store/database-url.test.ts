import { describe, expect, test } from '@jest/globals';
import { addressOf, readDatabaseUrl } from '../../../activities/database-url.ts';

const codeOf = (url: string): unknown => {
  try {
    return readDatabaseUrl(url);
  } catch (error) {
    return (error as { type?: unknown }).type;
  }
};

const messageOf = (url: string): string => {
  try {
    readDatabaseUrl(url);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('the URL of a database', () => {
  test('says where it is and who asks', () => {
    const target = readDatabaseUrl('postgres://ana:s%2Fcret@db.example.com:6432/holdfast');
    expect(target).toEqual({
      host: 'db.example.com',
      port: 6432,
      database: 'holdfast',
      user: 'ana',
      password: 's/cret',
      tls: 'verified',
      authoritiesFile: undefined,
    });
    expect(addressOf(target)).toBe('db.example.com:6432/holdfast');
    expect(readDatabaseUrl('postgresql://ana@[::1]/x')).toMatchObject({ host: '::1', port: 5432 });
  });

  test.each(['', '?sslmode=require', '?sslmode=verify-ca', '?sslmode=verify-full'])(
    'to another machine is always verified, also with "%s"',
    (query) => {
      for (const host of ['db.example.com', '10.0.0.7', '[fd00::7]', '127.0.0.1.example.com']) {
        expect(readDatabaseUrl(`postgres://ana@${host}/x${query}`).tls).toBe('verified');
      }
    },
  );

  test.each(['disable', 'allow', 'prefer', 'no-verify'])(
    'to another machine is refused with sslmode=%s',
    (mode) => {
      expect(codeOf(`postgres://ana@db.example.com/x?sslmode=${mode}`)).toBe('STORE_NOT_PRIVATE');
      for (const host of ['localhost', '127.0.0.1', '127.8.9.1', '[::1]']) {
        expect(readDatabaseUrl(`postgres://ana@${host}/x?sslmode=${mode}`).tls).toBe('none');
      }
    },
  );

  test('may ask for verification on this machine too, by an authority of its own', () => {
    const url = 'postgres://ana@localhost/x?sslmode=verify-full&sslrootcert=/etc/ca.pem';
    expect(readDatabaseUrl(url)).toMatchObject({
      tls: 'verified',
      authoritiesFile: '/etc/ca.pem',
    });
  });

  test.each([
    'mysql://ana@localhost/x',
    'localhost:5432',
    'postgres://ana@localhost',
    'postgres://localhost/x',
    'postgres:///x',
    'postgres://ana@localhost/x?sslmode=maybe',
    'postgres://ana@localhost/x?options=-csearch_path%3Dother',
    'postgres://ana:100%@localhost/x',
  ])('%s is refused', (url) => {
    expect(codeOf(url)).toBe('CONFIGURATION_INVALID');
  });

  test('is not repeated where it is refused: it holds a password', () => {
    for (const url of [
      'mysql://ana:planted@db.example.com/x',
      'postgres://ana:planted@db.example.com/x?sslmode=disable',
      'postgres://ana:planted%@db.example.com/x',
      'postgres://ana:planted@db.example.com/x?password=planted',
    ]) {
      expect(messageOf(url)).not.toBe('');
      expect(messageOf(url)).not.toContain('planted');
    }
  });
});
