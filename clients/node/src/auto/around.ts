// Puts a function of ours around one of Node's. Knows neither.

export function around<T extends object, K extends keyof T>(target: T, name: K, wrap: (plain: T[K]) => T[K]): void {
  target[name] = wrap(target[name]);
}
