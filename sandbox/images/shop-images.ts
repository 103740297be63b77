/**
 * The images of the sample service and the pause image: one static binary, and
 * for each version a different environment in the image configuration.
 */
import type { ImageDescription } from './oci-writer.ts';

export const PAUSE_IMAGE = 'localhost/holdfast-pause:1';

/** What sets the versions of the sample service apart (see `sandbox/shop/main.go`). */
const SHOP_VERSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '1': {},
  '2': {},
  // Starts, logs why and never becomes ready.
  '3a': { SHOP_READY: 'never' },
  // Becomes ready and stays ready, while every request to `/` fails.
  '3b': { SHOP_FAILED_SHARE: '1' },
};

/** The unprivileged user that distroless images use as well. */
const UNPRIVILEGED = '65532:65532';

/** The pause image and one image for each version, all of them with the layer of `binary`. */
export function sampleImages(
  binary: Uint8Array,
  architecture: ImageDescription['architecture'],
): ImageDescription[] {
  const base = {
    architecture,
    files: [{ path: 'shop', mode: 0o755, content: binary }],
    user: UNPRIVILEGED,
  };
  const versions = Object.entries(SHOP_VERSIONS).map(([version, behaviour]) => ({
    ...base,
    name: `localhost/shop:${version}`,
    entrypoint: ['/shop'],
    environment: { SHOP_VERSION: version, ...behaviour },
    exposedTcpPorts: [8080],
    labels: { 'org.opencontainers.image.version': version },
  }));
  return [{ ...base, name: PAUSE_IMAGE, entrypoint: ['/shop', 'pause'] }, ...versions];
}
