"""What was trained leaves this machine, and what others trained comes in.

    FOLDER/adapter_config.json, adapter_model.safetensors, tokenizer, chat_template.jinja, README.md      adapter
    FOLDER/config.json, model.safetensors, tokenizer, chat_template.jinja, README.md                      merged
    FOLDER/marv-f16.gguf, Modelfile, README.md                                                            gguf

source       what is exported: a job's, or a published version's
export       one folder, whole or not at all; what is heavy runs in a child process
stage        a folder that appears in one rename; room on the disk
modelfile    for Ollama: a Jinja template in the words of Go's
card         README.md: what it is, how it was made and measured, how it is loaded, where it ends
arriving     a folder or ZIP from elsewhere, checked before anything loads, becomes a persona
whole        what `arriving` asks of a whole model: tuning.training.foreign asks it of an adapter
engine/      the child: merging (torch), GGUF (numpy and the gguf package)

`python -m tuning.exporting` is the child: one JSON request on stdin, rows of JSON out.
"""
