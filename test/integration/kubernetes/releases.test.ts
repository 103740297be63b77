import { describeForward } from '../../conformance/releases-forward.ts';
import { describeUpkeep } from '../../conformance/releases-upkeep.ts';
import { realSites } from './real-sites.ts';

const openSite = realSites();

describeForward('the Kubernetes API', openSite);
describeUpkeep('the Kubernetes API', openSite);
