/** Contract of a push button. Edges carry the time of the clock that saw them, so that a press is judged by when it happened. */
export interface Button {
  /**
   * Delivers debounced edges until the returned function is called; no callback follows that call.
   * `at` is monotonic milliseconds of the runtime's clock.
   */
  watch(listener: (edge: ButtonEdge) => void): () => void;
}

export interface ButtonEdge {
  readonly pressed: boolean;
  readonly at: number;
}
