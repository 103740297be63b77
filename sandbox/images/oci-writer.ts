/**
 * Writes container images without a container engine: an OCI image layout
 * (https://github.com/opencontainers/image-spec) as one tar archive, which
 * containerd, skopeo and registries read. Layers are not compressed, so that
 * the digest depends on the files only and not on a compressor's version.
 */
import { createHash } from 'node:crypto';
import { writeTarArchive } from './tar-archive.ts';
import type { ArchiveFile } from './tar-archive.ts';

/** Everything an image is made of. Equal descriptions have equal digests. */
export interface ImageDescription {
  /** Full reference with a tag, e.g. `localhost/shop:1`. */
  readonly name: string;
  readonly architecture: 'amd64' | 'arm64';
  readonly files: readonly ArchiveFile[];
  readonly entrypoint: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** `uid:gid`; root when absent. */
  readonly user?: string;
  readonly exposedTcpPorts?: readonly number[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface WrittenImage {
  readonly name: string;
  /** Digest of the manifest, `sha256:…`: what a registry and a pod status show. */
  readonly digest: string;
}

export interface ImageArchive {
  readonly images: readonly WrittenImage[];
  /** The OCI layout; layers that images share are held once. */
  readonly tar: Buffer;
}

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';
/** Reproducible images carry the epoch as the time they were made. */
const CREATED = '1970-01-01T00:00:00Z';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: 'linux' };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The OCI layout of `images` as one archive. */
export function writeImageArchive(images: readonly ImageDescription[]): ImageArchive {
  const blobs = new Map<string, Buffer>();
  const manifests = images.map((image) => addImage(image, blobs));
  const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
  const tar = writeTarArchive([
    { path: 'oci-layout', mode: 0o644, content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', mode: 0o644, content: json(index) },
    ...[...blobs].map(([digest, content]) => ({
      path: `blobs/${digest.replace(':', '/')}`,
      mode: 0o644,
      content,
    })),
  ]);
  return {
    tar,
    images: images.map(({ name }, index) => ({ name, digest: manifests[index]?.digest ?? '' })),
  };
}

function addImage(image: ImageDescription, blobs: Map<string, Buffer>): Descriptor {
  const tag = /:([\w][\w.-]{0,127})$/.exec(image.name)?.[1];
  if (tag === undefined) {
    throw new Error(`The image name ${image.name} has no tag.`);
  }
  const layer = addBlob(blobs, LAYER_TYPE, writeTarArchive(image.files));
  // An uncompressed layer is its own diff id.
  const config = addBlob(blobs, CONFIG_TYPE, json(configOf(image, layer.digest)));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [layer] };
  return {
    ...addBlob(blobs, MANIFEST_TYPE, json(manifest)),
    platform: { architecture: image.architecture, os: 'linux' },
    annotations: {
      // containerd names the imported image by its own annotation; the standard one is the tag.
      'io.containerd.image.name': image.name,
      'org.opencontainers.image.ref.name': tag,
    },
  };
}

function configOf(image: ImageDescription, diffId: string): object {
  const ports = (image.exposedTcpPorts ?? []).map((port) => [`${String(port)}/tcp`, {}] as const);
  return {
    created: CREATED,
    architecture: image.architecture,
    os: 'linux',
    config: {
      ...(image.user === undefined ? {} : { User: image.user }),
      ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports) }),
      Env: sorted(image.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      Entrypoint: image.entrypoint,
      WorkingDir: '/',
      ...(image.labels === undefined ? {} : { Labels: Object.fromEntries(sorted(image.labels)) }),
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: CREATED, created_by: 'holdfast' }],
  };
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

function addBlob(blobs: Map<string, Buffer>, mediaType: string, content: Buffer): Descriptor {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  blobs.set(digest, content);
  return { mediaType, digest, size: content.length };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
