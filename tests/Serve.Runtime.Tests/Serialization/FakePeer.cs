using Serve.Runtime.Serialization;

namespace Serve.Runtime.Tests.Serialization;

/// <summary>The other side of one connection, without a connection.</summary>
internal sealed class FakePeer : IRefResolver
{
    public List<long> Exported { get; } = [];

    public List<long> Adopted { get; } = [];

    public Dictionary<long, ObjectRef> Known { get; } = [];

    public long Export(ObjectRef reference)
    {
        Exported.Add(reference.Id.Number);
        return reference.Id.Number;
    }

    public object Adopt(long id)
    {
        Adopted.Add(id);
        return Known.TryGetValue(id, out var reference) ? reference : new object();
    }

    public ObjectRef Import(long id, Type valueType) => Known[id];
}
