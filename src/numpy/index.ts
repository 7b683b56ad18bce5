// NumPy's files and Python's pickles, read without Python and without running anything: .npy, .npz, .pkl.

export { decodeNpy, encodeNpy, isNpy } from './npy.ts';
export { decodeNpz, encodeNpz, isZip } from './npz.ts';
export { countOf, type NumpyArray } from './numpy-array.ts';
export { decodePickle, type PickledValue } from './pickle.ts';
export type { Foreign, Global, PickleExtension, PythonValue } from './pickle-globals.ts';
export { runPickle } from './pickle-machine.ts';
