// Transfers under way, shared by the statements that wait for the same bytes.

export class Inflight {
  #transfers = new Map();

  /** Waits for the transfer `key`, begun with `begin(signal)` unless it is under way. It is aborted when nobody waits. */
  async join(key, begin, signal) {
    signal?.throwIfAborted();
    const transfer = this.#transfers.get(key) ?? this.#begin(key, begin);
    transfer.waiting += 1;
    if (!signal) return transfer.done;
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#leave(key, transfer);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      transfer.done.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
    });
  }

  /** Stops all transfers; whoever waits gets `reason`. */
  stop(reason) {
    for (const { controller } of this.#transfers.values()) controller.abort(reason);
    this.#transfers.clear();
  }

  #begin(key, begin) {
    const controller = new AbortController();
    const transfer = { waiting: 0, controller };
    this.#transfers.set(key, transfer);
    transfer.done = begin(controller.signal).finally(() => this.#forget(key, transfer));
    return transfer;
  }

  #leave(key, transfer) {
    transfer.waiting -= 1;
    if (transfer.waiting > 0) return;
    this.#forget(key, transfer);
    transfer.controller.abort();
  }

  #forget(key, transfer) {
    if (this.#transfers.get(key) === transfer) this.#transfers.delete(key);
  }
}
