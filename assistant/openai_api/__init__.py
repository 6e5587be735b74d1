"""Talk to it from elsewhere: the chat completions contract of OpenAI, where a model's name is a persona's.

    GET  /v1/models               "afina" and every persona
    GET  /v1/models/{id}
    POST /v1/chat/completions     streamed or not

    client = OpenAI(base_url="http://127.0.0.1:7860/v1", api_key="afina-…")      # made by `afina api key new`
    client.chat.completions.create(model="marv", messages=[{"role": "user", "content": "How tall is Everest?"}])

What differs from OpenAI's own, so that nobody is surprised:

- The whole conversation comes with the request; nothing of it is stored in the history.
- Tools are ours. `tools` and `functions` of a request are not called: they are named in the header `x-afina-ignored`
  and in `afina.ignored`, as is everything else that has no effect here. What would change the answer's form or meaning
  (`n` > 1, `response_format`, `logprobs`, a demanded tool call, pictures) is refused with 400.
- A tool that would ask a person first is denied, because nobody is there to say yes; `afina.denied` names it.
- A system message is told to the model before the conversation; a persona's own voice stands above it.
- `message.citations` (streamed: in the last chunk with a choice) has the checked citations of the answer's [n].
- While streaming, words cannot be taken back: where the final text differs from them, `afina.text` has it.
"""

from assistant.openai_api.api import OpenAiApi
from assistant.openai_api.key import ApiKey

__all__ = ["ApiKey", "OpenAiApi"]
