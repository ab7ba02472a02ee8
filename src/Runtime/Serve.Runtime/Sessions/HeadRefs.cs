using Serve.Runtime.Serialization;

namespace Serve.Runtime.Sessions;

/// <summary>How refs cross from the head to one worker and back. Holds no state but the loans.</summary>
internal sealed class HeadRefs(LentRefs lent) : IRefResolver
{
    public long Export(ObjectRef reference)
    {
        lent.Add(reference);
        return reference.Id.Number;
    }

    public object Adopt(long id) => Import(id, typeof(object));

    public ObjectRef Import(long id, Type valueType) =>
        lent.Find(id) ?? throw new ObjectLostException($"Object {new ObjectId(id)} came from a worker that did not hold it.");
}
