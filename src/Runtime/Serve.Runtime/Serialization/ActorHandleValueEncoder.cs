using System.Text.Json;
using Serve.Runtime.Actors;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes actor handles by the actor's address.</summary>
internal sealed class ActorHandleValueEncoder : ValueTypeEncoder
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var handle = (IActorHandleLink)value;
        var bytes = JsonSerializer.SerializeToUtf8Bytes(handle.Descriptor, ServeJson.Options);
        return new InlineEncodedObject(codec, new(EncodedValueFormat.Handle, declared, actual), bytes) { References = [handle] };
    }

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return stored.ResolveActor(JsonSerializer.Deserialize<ActorHandleDescriptor>(view.Span, ServeJson.Options), type.GetGenericArguments()[0]);
    }
}
