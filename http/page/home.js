// The country whose phone numbers are typed without its code. The program writes another one than
// Korea into the page (`--country`).

import { korea } from './phone.js';

const { callingCode = korea.callingCode, trunk = korea.trunk } = document.documentElement.dataset;
export const home = { callingCode, trunk };
