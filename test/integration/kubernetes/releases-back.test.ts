import { describeBack } from '../../conformance/releases-back.ts';
import { realSites } from './real-sites.ts';

describeBack('the Kubernetes API', realSites());
