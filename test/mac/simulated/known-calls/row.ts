/** [what, shell text, status, standard output, standard error]; undefined: not looked at. */
export type Row = readonly [string, string, number, (string | RegExp)?, (string | RegExp)?];

export const READ = '/usr/bin/security -q authorizationdb read system.login.console';
export const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n';
