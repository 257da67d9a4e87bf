import { settingsFromEnvironment } from './host/install/environment.ts';
import { clientSource, installGlobals } from './host/install/install-globals.ts';

const settings = settingsFromEnvironment();
installGlobals(settings, clientSource(settings));
