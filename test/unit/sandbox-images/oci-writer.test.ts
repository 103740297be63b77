import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeImageArchive } from '../../../sandbox/images/oci-writer.ts';
import type { ImageDescription } from '../../../sandbox/images/oci-writer.ts';
import { sampleImages } from '../../../sandbox/images/shop-images.ts';

const image: ImageDescription = {
  name: 'localhost/example:1',
  architecture: 'amd64',
  files: [
    { path: 'usr/bin/example', mode: 0o755, content: Buffer.from('#!/bin/true\n') },
    { path: 'etc/example.conf', mode: 0o640, content: Buffer.alloc(1300, 'x') },
  ],
  entrypoint: ['/usr/bin/example', '--serve'],
  environment: { B: '2', A: '1' },
  user: '65532:65532',
  exposedTcpPorts: [8080],
};

interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Record<string, string>;
}
interface Index {
  readonly manifests: readonly Blob[];
}
interface Manifest {
  readonly config: Blob;
  readonly layers: readonly Blob[];
}
interface Config {
  readonly config: { readonly Env: string[]; readonly Entrypoint: string[]; readonly User: string };
  readonly rootfs: { readonly diff_ids: string[] };
}

/** Unpacks an archive with the system's tar, as another tool would read it. */
function unpacked(tar: Buffer, read: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-image-'));
  try {
    writeFileSync(join(directory, 'archive.tar'), tar);
    execFileSync('tar', ['-xf', 'archive.tar'], { cwd: directory });
    read(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const parse = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const blobPath = (directory: string, { digest }: Blob): string =>
  join(directory, 'blobs', digest.replace(':', '/'));

const readIndex = (directory: string): Index => parse(join(directory, 'index.json')) as Index;
const readManifest = (directory: string, blob: Blob): Manifest =>
  parse(blobPath(directory, blob)) as Manifest;

describe('an image archive', () => {
  test('has the same bytes and digests whatever the order of its parts', () => {
    const reordered: ImageDescription = {
      ...image,
      files: [...image.files].reverse(),
      environment: { A: '1', B: '2' },
    };
    const [first, second] = [writeImageArchive([image]), writeImageArchive([reordered])];
    expect(second.images).toEqual(first.images);
    expect(second.tar.equals(first.tar)).toBe(true);
  });

  test.each<[string, Partial<ImageDescription>]>([
    ['a file', { files: [{ path: 'usr/bin/example', mode: 0o755, content: Buffer.from('2') }] }],
    ['a mode', { files: image.files.map((file) => ({ ...file, mode: 0o700 })) }],
    ['the environment', { environment: { A: '1', B: '3' } }],
    ['the entrypoint', { entrypoint: ['/usr/bin/example'] }],
    ['the user', { user: '0:0' }],
    ['the architecture', { architecture: 'arm64' }],
  ])('has another digest when %s differs', (_, change) => {
    const [before, after] = [
      writeImageArchive([image]),
      writeImageArchive([{ ...image, ...change }]),
    ];
    expect(after.images[0]?.digest).not.toBe(before.images[0]?.digest);
  });

  test('is a layout in which every descriptor matches its blob', () => {
    const { tar, images } = writeImageArchive([image]);
    unpacked(tar, (directory) => {
      expect(parse(join(directory, 'oci-layout'))).toEqual({ imageLayoutVersion: '1.0.0' });
      const [manifest] = readIndex(directory).manifests;
      expect(manifest?.digest).toBe(images[0]?.digest);
      const { config, layers } = readManifest(directory, manifest as Blob);
      const described = [manifest as Blob, config, ...layers];
      for (const blob of described) {
        const content = readFileSync(blobPath(directory, blob));
        expect(content.length).toBe(blob.size);
        expect(`sha256:${createHash('sha256').update(content).digest('hex')}`).toBe(blob.digest);
      }
      const found = readdirSync(join(directory, 'blobs/sha256'));
      expect(found).toHaveLength(described.length);
      const read = parse(blobPath(directory, config)) as Config;
      expect(read.rootfs.diff_ids).toEqual(layers.map(({ digest }) => digest));
      expect(read.config).toMatchObject({
        Env: ['A=1', 'B=2'],
        Entrypoint: ['/usr/bin/example', '--serve'],
        User: '65532:65532',
      });
    });
  });

  test('gives tar the files of the layer with their modes, root as owner and no times', () => {
    const { tar } = writeImageArchive([image]);
    unpacked(tar, (directory) => {
      const [manifest] = readIndex(directory).manifests;
      const [layer] = readManifest(directory, manifest as Blob).layers;
      const listing = execFileSync(
        'tar',
        ['--utc', '--numeric-owner', '-tvf', blobPath(directory, layer as Blob)],
        { encoding: 'utf8' },
      );
      expect(
        listing
          .trim()
          .split('\n')
          .map((line) => line.replace(/ +/g, ' ')),
      ).toEqual([
        'drwxr-xr-x 0/0 0 1970-01-01 00:00 etc/',
        '-rw-r----- 0/0 1300 1970-01-01 00:00 etc/example.conf',
        'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/',
        'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/bin/',
        '-rwxr-xr-x 0/0 12 1970-01-01 00:00 usr/bin/example',
      ]);
      unpacked(readFileSync(blobPath(directory, layer as Blob)), (root) => {
        expect(readFileSync(join(root, 'usr/bin/example'), 'utf8')).toBe('#!/bin/true\n');
        expect(statSync(join(root, 'etc/example.conf')).size).toBe(1300);
      });
    });
  });

  test('keeps a path that is longer than one header field', () => {
    const path = `${'directory/'.repeat(15)}file`;
    const { tar } = writeImageArchive([
      { ...image, files: [{ path, mode: 0o644, content: Buffer.from('deep') }] },
    ]);
    unpacked(tar, (directory) => {
      const [manifest] = readIndex(directory).manifests;
      const [layer] = readManifest(directory, manifest as Blob).layers;
      unpacked(readFileSync(blobPath(directory, layer as Blob)), (root) => {
        expect(readFileSync(join(root, path), 'utf8')).toBe('deep');
      });
    });
  });

  test.each(['/etc/passwd', '../outside', 'a//b', 'a/./b', ''])('refuses the path %j', (path) => {
    const files = [{ path, mode: 0o644, content: Buffer.alloc(0) }];
    expect(() => writeImageArchive([{ ...image, files }])).toThrow('relative path');
  });

  test('refuses a file that is named twice and an image without a tag', () => {
    const [file] = image.files;
    expect(() =>
      writeImageArchive([{ ...image, files: [file, file].flatMap((f) => f ?? []) }]),
    ).toThrow('usr/bin/example twice');
    expect(() => writeImageArchive([{ ...image, name: 'localhost:5000/example' }])).toThrow(
      'no tag',
    );
  });
});

describe('the sample images', () => {
  test('share one layer and differ in their digests', () => {
    const { tar, images } = writeImageArchive(sampleImages(Buffer.alloc(5000, 'b'), 'amd64'));
    expect(images.map(({ name }) => name)).toEqual([
      'localhost/holdfast-pause:1',
      'localhost/shop:1',
      'localhost/shop:2',
      'localhost/shop:3a',
      'localhost/shop:3b',
    ]);
    expect(new Set(images.map(({ digest }) => digest)).size).toBe(5);
    unpacked(tar, (directory) => {
      const { manifests } = readIndex(directory);
      const layers = manifests.flatMap((manifest) => readManifest(directory, manifest).layers);
      expect(new Set(layers.map(({ digest }) => digest)).size).toBe(1);
      expect(manifests.map(({ annotations }) => annotations?.['io.containerd.image.name'])).toEqual(
        images.map(({ name }) => name),
      );
    });
  });
});
