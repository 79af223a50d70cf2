// A promise that comes once, when somebody else says so.

export class Moment<T> {
  readonly promise: Promise<T>;
  #resolve: (value: T) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  come(value: T): void {
    this.#resolve(value);
  }
}
