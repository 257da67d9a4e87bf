import { optionsFromEnvironment } from './host/install/environment.ts';
import { install } from './host/install/install.ts';

install(optionsFromEnvironment());
