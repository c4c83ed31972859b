import os

# Before anything imports huggingface_hub, which reads it once: no test asks the network, whichever test comes first.
os.environ["HF_HUB_OFFLINE"] = "1"

pytest_plugins = ["pytester"]
