/**
 * How kwok plays a pod's life, in place of a kubelet. The image's tag chooses
 * how it goes, so that a manifest alone produces a version that fails:
 * `:bad` crashes, `:3a` runs and never becomes ready, `:missing` cannot be pulled;
 * anything else is ready at once.
 */
import { stage } from './stage.ts';
import type { Stage, StageCondition } from './stage.ts';

/** Tags whose pods never become ready, and how each fails. */
const FAILING_TAGS = { crash: 'bad', unready: '3a', unpullable: 'missing' } as const;

/** A jq program for the kind of failure that the pod's images ask for. */
const FAILURE = `[.spec.containers[].image | capture(":(?<tag>[^:/@]+)$") | .tag] | ${Object.entries(
  FAILING_TAGS,
)
  .map(([failure, tag]) => `if any(. == "${tag}") then "${failure}"`)
  .join(' else ')} else "none"${' end'.repeat(Object.keys(FAILING_TAGS).length)}`;

const ALIVE: StageCondition = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const NEW: StageCondition = { key: '.status.containerStatuses', operator: 'DoesNotExist' };
const fails = (kind: keyof typeof FAILING_TAGS | 'none'): StageCondition => ({
  key: FAILURE,
  operator: 'In',
  values: [kind],
});

const CONDITIONS = ['Initialized', 'Ready', 'ContainersReady'];

function conditions(ready: boolean): string {
  const lines = CONDITIONS.map((type) => {
    const holds = ready || type === 'Initialized';
    const reason = holds ? '' : ', reason: ContainersNotReady';
    return `- {type: ${type}, status: "${holds ? 'True' : 'False'}", lastTransitionTime: {{ Now | Quote }}${reason}}`;
  });
  const gates = `{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "${ready ? 'True' : 'False'}", lastTransitionTime: {{ Now | Quote }}}
{{ end }}`;
  return `conditions:\n${lines.join('\n')}\n${gates}`;
}

const ADDRESSES = `
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
{{ with PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ index . 0 | Quote }}
podIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}`;

/** Init containers have ended well; those that restart always (sidecars) run. */
const INIT_CONTAINERS = `
{{ with .spec.initContainers }}
initContainerStatuses:
{{ range . }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  {{ if eq .restartPolicy "Always" }}
  started: true
  state: {running: {startedAt: {{ Now | Quote }}}}
  {{ else }}
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}}
  {{ end }}
{{ end }}
{{ end }}`;

function containers(lines: readonly string[]): string {
  return `
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
${lines.map((line) => `  ${line}`).join('\n')}
{{ end }}`;
}

const RUNNING = 'state: {running: {startedAt: {{ Now | Quote }}}}';
const STARTED = 'startTime: {{ Now | Quote }}';

const podReady = stage({
  name: 'pod-ready',
  kind: 'Pod',
  when: [ALIVE, NEW, fails('none')],
  status: [
    conditions(true),
    containers(['ready: true', 'started: true', 'restartCount: 0', RUNNING]),
    INIT_CONTAINERS,
    ADDRESSES,
    `phase: Running\n${STARTED}`,
  ],
});

const podCrashing = stage({
  name: 'pod-crashing',
  kind: 'Pod',
  when: [ALIVE, NEW, fails('crash')],
  status: [
    conditions(false),
    containers([
      'ready: false',
      'started: false',
      'restartCount: 3',
      'state: {waiting: {reason: CrashLoopBackOff, message: back-off restarting failed container}}',
      'lastState: {terminated: {exitCode: 1, reason: Error, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}}',
    ]),
    INIT_CONTAINERS,
    ADDRESSES,
    `phase: Running\n${STARTED}`,
  ],
});

const podNeverReady = stage({
  name: 'pod-never-ready',
  kind: 'Pod',
  when: [ALIVE, NEW, fails('unready')],
  status: [
    conditions(false),
    containers(['ready: false', 'started: true', 'restartCount: 0', RUNNING]),
    INIT_CONTAINERS,
    ADDRESSES,
    `phase: Running\n${STARTED}`,
  ],
});

const podImageMissing = stage({
  name: 'pod-image-missing',
  kind: 'Pod',
  when: [ALIVE, NEW, fails('unpullable')],
  status: [
    conditions(false),
    containers([
      'ready: false',
      'started: false',
      'restartCount: 0',
      'state: {waiting: {reason: ImagePullBackOff, message: {{ printf "Back-off pulling image %s" .image | Quote }}}}',
    ]),
    `phase: Pending\n${STARTED}`,
  ],
});

const jobPodComplete = stage({
  name: 'job-pod-complete',
  kind: 'Pod',
  when: [
    ALIVE,
    { key: '.status.phase', operator: 'In', values: ['Running'] },
    { key: '.metadata.ownerReferences[].kind', operator: 'In', values: ['Job'] },
    fails('none'),
  ],
  status: [
    containers([
      'ready: false',
      'started: false',
      'restartCount: 0',
      'state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}}',
    ]),
    'phase: Succeeded',
  ],
});

const podDeleted = stage({
  name: 'pod-deleted',
  kind: 'Pod',
  when: [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }],
  deletes: true,
});

export const POD_STAGES: readonly Stage[] = [
  podReady,
  podCrashing,
  podNeverReady,
  podImageMissing,
  jobPodComplete,
  podDeleted,
];
