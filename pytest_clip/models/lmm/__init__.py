"""Large multimodal models: models that read a picture and a question and answer in words."""
