"""Work on many images at once: by this process, by others on this machine, or by a Ray cluster.

Whoever asks knows no difference: results come in the order of what was asked. A worker gets values and gives values;
it knows no database and no file of the library.
"""
