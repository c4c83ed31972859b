"""The set `studio`: objects of the classes as photographs show them. Meshes, a rasteriser, and light that reflects and shadows."""
