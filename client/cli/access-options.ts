import { Option } from 'commander';

export interface AccessFlags {
  access?: string;
  json?: boolean;
}

export const accessOption = (): Option =>
  new Option('--access <path>', 'access.yaml: who may do what').env('HOLDFAST_ACCESS');
