// What a service, a template or a channel may be called. A log file carries the name, so a path may not hide in it.

export const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

// NAME_MAX is 255, and rotated logs append a number and a suffix.
export const LONGEST_NAME = 100;
