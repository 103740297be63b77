import { describeBesideBack } from '../../conformance/candidates-back.ts';
import { realSites } from './real-sites.ts';

describeBesideBack('the Kubernetes API', realSites());
