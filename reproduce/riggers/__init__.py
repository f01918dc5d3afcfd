"""A crowd of honest voters and riggers for `reproduce/rigging.py`: what they intend, over HTTP and in a store."""
