/** How kwok plays a node: ready at once, then a sign of life now and then. */
import { stage } from './stage.ts';
import type { Stage, StageCondition } from './stage.ts';

const READY = '.status.conditions.[] | select( .type == "Ready" ) | .status';
const isReady: StageCondition = { key: READY, operator: 'In', values: ['True'] };
const isNotReady: StageCondition = { key: READY, operator: 'NotIn', values: ['True'] };

/** The lease says that the node lives; its status need not be written often. */
const STATUS_EVERY_MS = 300_000;

const CONDITIONS = `
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ Now | Quote }}
  lastTransitionTime: {{ or $.metadata.creationTimestamp Now | Quote }}
{{ end }}`;

const DESCRIPTION = `
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ NodeName | Quote }}}
{{ with NodePort }}
daemonEndpoints: {kubeletEndpoint: {Port: {{ . }}}}
{{ end }}
allocatable: {cpu: "64", memory: 256Gi, pods: "1000"}
capacity: {cpu: "64", memory: 256Gi, pods: "1000"}
nodeInfo:
  architecture: amd64
  bootID: ""
  containerRuntimeVersion: kwok
  kernelVersion: kwok
  kubeProxyVersion: kwok
  kubeletVersion: kwok
  machineID: ""
  operatingSystem: linux
  osImage: ""
  systemUUID: ""
phase: Running`;

export const NODE_STAGES: readonly Stage[] = [
  stage({
    name: 'node-ready',
    kind: 'Node',
    when: [isNotReady],
    status: [CONDITIONS, DESCRIPTION],
  }),
  stage({
    name: 'node-alive',
    kind: 'Node',
    when: [isReady],
    delayMs: STATUS_EVERY_MS,
    status: [CONDITIONS],
  }),
];
