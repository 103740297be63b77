/** The settings of containerd and of the pod network. */
import {
  ADDRESS_LEASES,
  BRIDGE,
  CNI_NETWORK,
  CONTAINERD_SOCKET,
  POD_NETWORK,
  RUNC_STATE,
} from './node-layout.ts';
import type { NodePaths } from './node-layout.ts';

/** An instance of containerd that shares no file with one the machine may already run. */
export function containerdSettings(input: {
  readonly paths: NodePaths;
  readonly pauseImage: string;
  readonly cniPlugins: string;
}): string {
  const { paths } = input;
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${toml(paths.containerdRoot)}
state = ${toml(paths.containerdState)}
# The CRI plugin is all that a kubelet needs; these would touch the machine's disks.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
  address = ${toml(CONTAINERD_SOCKET)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${toml(`${paths.directory}/opt`)}

[${cri}]
  disable_tcp_service = true
  netns_mounts_under_state_dir = true
  # A process without CAP_SYS_RESOURCE may not lower an OOM score, and no pod would start.
  restrict_oom_score_adj = true
  sandbox_image = ${toml(input.pauseImage)}
  [${cri}.containerd]
    snapshotter = "overlayfs"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        Root = ${toml(RUNC_STATE)}
        SystemdCgroup = false
  [${cri}.cni]
    bin_dir = ${toml(input.cniPlugins)}
    conf_dir = ${toml(paths.cniConfigDirectory)}
`;
}

/**
 * Pods on one bridge. Masquerading is left to one packet rule of the node
 * (`packet-rules.ts`): the plugin's own would leave chains behind for every pod
 * that ends without being taken down.
 */
export function cniSettings(): object {
  return {
    cniVersion: '1.0.0',
    name: CNI_NETWORK,
    plugins: [
      {
        type: 'bridge',
        bridge: BRIDGE,
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: POD_NETWORK }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: ADDRESS_LEASES,
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function toml(text: string): string {
  // A TOML basic string escapes like JSON for everything that occurs in a path.
  return JSON.stringify(text);
}
