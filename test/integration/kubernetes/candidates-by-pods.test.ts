import { describeByPods } from '../../conformance/candidates-by-pods.ts';
import { realSites } from './real-sites.ts';

describeByPods('the Kubernetes API', realSites());
