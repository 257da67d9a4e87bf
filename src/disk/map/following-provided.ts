// For the doors that have the option `sync`, and beside those that have it not.
import * as code from './map-replica.ts';
import { following } from './following.ts';

following.provide(code);
