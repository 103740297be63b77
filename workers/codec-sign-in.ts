// The Temporal UI sends a bearer token only after a sign-in of its own and over TLS. Everywhere else
// a browser shows who it is by a cookie, which it gets here for the same token.
import type { IncomingMessage } from 'node:http';
import type { TokenEntry } from '../activities/encryption/port.ts';

const cookieName = 'holdfast_codec';

export const signInPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Read payloads in the Temporal UI</title>
<style>body{font:16px sans-serif;margin:4rem auto;max-width:32rem}input{width:100%;font:inherit}</style>
<h1>Read payloads in the Temporal UI</h1>
<p>A token is made with <code>holdfast keys token --for NAME</code>. This browser keeps it until it
expires.</p>
<form method="post" action="session">
<p><label>Token <input name="token" type="password" autocomplete="off" required></label></p>
<p><button>Sign in</button></p>
</form>
</html>
`;

/** Nothing is loaded, and nobody puts the form into a page of theirs. */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

/** The token in the cookie of a browser that has signed in. */
export const cookieToken = ({ headers }: IncomingMessage): string | undefined => {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const own = pairs.find((pair) => pair.startsWith(`${cookieName}=`));
  return own?.slice(cookieName.length + 1);
};

const isLoopback = (host: string): boolean =>
  /^(?:localhost|127\.[\d.]+|\[::1\])(?::|$)/.test(host);

/** No script reads it, no other site sends it, and off this machine it travels over TLS only. */
export const sessionCookie = (
  token: string,
  { expiresAt }: TokenEntry,
  { host, atMs }: { host: string; atMs: number },
): string => {
  const lastsSeconds = Math.floor((Date.parse(expiresAt) - atMs) / 1_000);
  const secure = isLoopback(host) ? '' : '; Secure';
  return `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${lastsSeconds}${secure}`;
};
