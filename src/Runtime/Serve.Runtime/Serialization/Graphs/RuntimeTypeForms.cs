using System.Text.Json;
using Serve.Runtime.Actors;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Form of a type of the runtime whose receiver finds or creates its own instance.</summary>
public sealed class RuntimeTypeForm
{
    private RuntimeTypeForm(Type type, Func<GraphCodecSet, ObjectCodec> create)
    {
        Type = type;
        Create = create;
    }

    /// <summary>The type; values can be of derived types.</summary>
    public Type Type { get; }

    /// <summary>Creates the codec.</summary>
    internal Func<GraphCodecSet, ObjectCodec> Create { get; }

    /// <summary>Form of placement groups.</summary>
    /// <param name="find">Finds or creates the instance of this process.</param>
    public static RuntimeTypeForm PlacementGroups(Func<SerializedPlacementGroup, PlacementGroup> find) => new(
        typeof(PlacementGroup),
        codecs => new SurrogateObjectCodec<PlacementGroup, SerializedPlacementGroup>(codecs, group => new(group.Id, group.Name, group.Strategy, [.. group.Bundles]), find));

    internal static ObjectCodec CreateQueueCodec(GraphCodecSet codecs, Type item) =>
        (ObjectCodec)new Func<GraphCodecSet, ObjectCodec>(CreateQueueCodec<object>).Method.GetGenericMethodDefinition().MakeGenericMethod(item).Invoke(null, [codecs])!;

    // A queue is kept alive by the handle of its actor.
    private static SurrogateObjectCodec<ActorQueue<T>, SerializedActorQueue<T>> CreateQueueCodec<T>(GraphCodecSet codecs) =>
        new(codecs, queue => new(queue.Name, queue.MaxSize, queue.Actor), parts => new(parts.Name, parts.MaxSize, parts.Actor));
}

/// <summary>Object references inside a value, by id.</summary>
internal sealed class ObjectRefObjectCodec<T>() : ObjectCodec(typeof(ObjectRef<T>))
{
    public override void Write(GraphWriter writer, object value)
    {
        var reference = (ObjectRef)value;
        writer.AddReference(reference);
        writer.WriteRaw(reference.Id.Number);
    }

    public override object Read(GraphReader reader, int id)
    {
        var reference = reader.Source.Resolve(reader.ReadRaw<long>(), typeof(T));
        reader.SetObject(id, reference);
        return reference;
    }
}

/// <summary>Actor handles inside a value, by the actor's address.</summary>
internal sealed class ActorHandleObjectCodec<TActor>() : ObjectCodec(typeof(ActorHandle<TActor>))
    where TActor : class
{
    public override void Write(GraphWriter writer, object value)
    {
        var handle = (IActorHandleLink)value;
        writer.AddReference(handle);
        writer.WriteText(JsonSerializer.Serialize(handle.Descriptor, ServeJson.Options));
    }

    public override object Read(GraphReader reader, int id)
    {
        var descriptor = JsonSerializer.Deserialize<ActorHandleDescriptor>(reader.ReadText() ?? throw GraphReader.Damaged(), ServeJson.Options);
        var handle = reader.Source.ResolveActor(descriptor, typeof(TActor));
        reader.SetObject(id, handle);
        return handle;
    }
}

/// <summary>Serialized form of a placement group.</summary>
public sealed record SerializedPlacementGroup(string Id, string? Name, PlacementStrategy Strategy, Bundle[] Bundles);
