import { codedFailure } from './coded-failure.ts';

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);

/** Undefined for anything but scheme, host and port. */
const plainAddress = (text: string): URL | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  const rest = [url.username, url.password, url.search, url.hash].join('');
  return rest === '' && url.pathname === '/' ? url : undefined;
};

/**
 * The address of a service without the slash at its end, if nobody between here and there can read
 * along.
 *
 * @throws CONFIGURATION_INVALID, STORE_NOT_PRIVATE
 */
export const requirePrivateEndpoint = (text: string, setting: string): string => {
  const url = plainAddress(text);
  if (url === undefined) {
    // The text is not repeated: it may hold a password.
    throw codedFailure({
      code: 'CONFIGURATION_INVALID',
      message: `${setting} has an endpoint that is not of the form https://host:port. Nothing was connected.`,
      subject: setting,
    });
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw codedFailure({
      code: 'STORE_NOT_PRIVATE',
      message: `${setting} has an endpoint of http on ${url.hostname}, which is another machine: who is between could read and change everything. Nothing was connected.`,
      subject: setting,
    });
  }
  return url.origin;
};
