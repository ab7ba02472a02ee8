namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Writes and reads the content of objects of one type. Stateless; one per type and set.</summary>
/// <param name="type">Type that the object has for its readers; a public base class if the objects are of an internal class of the platform.</param>
internal abstract class ObjectCodec(Type type)
{
    public Type Type => type;

    public string TypeName { get; } = type.Assembly == typeof(object).Assembly && !type.IsGenericType && !type.HasElementType ? type.FullName! : type.AssemblyQualifiedName!;

    /// <summary>Whether an object that occurs several times is written once.</summary>
    public virtual bool HasIdentity => true;

    /// <summary>Whether the object is created from its complete content, so that the content cannot refer to it.</summary>
    public virtual bool IsCompleteOnRead => false;

    public abstract void Write(GraphWriter writer, object value);

    /// <summary>Reads an object and assigns it to its id.</summary>
    public abstract object Read(GraphReader reader, int id);
}

/// <summary>Objects that cannot be sent, nor created by a message.</summary>
internal sealed class RefusedObjectCodec(Type type, string reason) : ObjectCodec(type)
{
    public override void Write(GraphWriter writer, object value) => throw new UnserializableValueException(Type, reason, value);

    public override object Read(GraphReader reader, int id) => throw new UnserializableValueException(Type, reason);
}

/// <summary>Queries and iterators; their items are sent.</summary>
internal sealed class SequenceObjectCodec(Type type, Type element) : ObjectCodec(type)
{
    private readonly Func<object, Array> _evaluate =
        typeof(SequenceObjectCodec).GetMethod(nameof(ToArray), System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!.MakeGenericMethod(element).CreateDelegate<Func<object, Array>>();

    public object Evaluate(object sequence) => _evaluate(sequence);

    public override void Write(GraphWriter writer, object value) => throw new NotSupportedException();

    public override object Read(GraphReader reader, int id) => throw GraphReader.Damaged();

    private static T[] ToArray<T>(object sequence) => [.. (IEnumerable<T>)sequence];
}

/// <summary>Boxed structures, and strings in members of type object.</summary>
internal sealed class BoxedObjectCodec<T>(GraphCodecSet codecs) : ObjectCodec(typeof(T))
    where T : notnull
{
    private readonly MemberCodec<T> _value = codecs.Member<T>();

    public override bool HasIdentity => false;

    public override void Write(GraphWriter writer, object value) => _value.Write(writer, (T)value);

    public override object Read(GraphReader reader, int id) => _value.Read(reader);
}

/// <summary>Objects that are written as another value, from which the reader creates them.</summary>
internal sealed class SurrogateObjectCodec<T, TSurrogate>(GraphCodecSet codecs, Func<T, TSurrogate> convert, Func<TSurrogate, T> restore) : ObjectCodec(typeof(T))
    where T : class
{
    private MemberCodec<TSurrogate>? _surrogate;

    public override bool IsCompleteOnRead => true;

    // Resolved late, since the surrogate can contain objects of this type.
    private MemberCodec<TSurrogate> Surrogate => _surrogate ??= codecs.Member<TSurrogate>();

    public override void Write(GraphWriter writer, object value) => Surrogate.Write(writer, convert((T)value));

    public override object Read(GraphReader reader, int id)
    {
        var value = restore(Surrogate.Read(reader));
        reader.SetObject(id, value);
        return value;
    }
}

/// <summary>Objects with a serializer of the user.</summary>
internal sealed class CustomObjectCodec(Type type, ValueSerializer serializer) : ObjectCodec(type)
{
    public override bool HasIdentity => !Type.IsValueType;

    public override bool IsCompleteOnRead => HasIdentity;

    public override void Write(GraphWriter writer, object value)
    {
        var output = CustomValueEncoder.Write(serializer, value);
        writer.WriteInt(output.Length);
        writer.WriteBytes(output.Span);
    }

    public override object Read(GraphReader reader, int id)
    {
        var value = serializer.Read(reader.ReadBytes(reader.ReadCount(1))) ?? throw new InvalidDataException($"{serializer.GetType()} returned null.");
        reader.SetObject(id, value);
        return value;
    }
}

/// <summary>Structures with a serializer of the user.</summary>
internal sealed class CustomMemberCodec<T>(ValueSerializer serializer) : MemberCodec<T>
{
    private readonly CustomObjectCodec _content = new(typeof(T), serializer);

    public override void Write(GraphWriter writer, T value)
    {
        writer.SkipId();
        _content.Write(writer, value!);
    }

    public override T Read(GraphReader reader) => (T)_content.Read(reader, reader.NextId());
}

/// <summary>A value that cannot be sent to another process.</summary>
/// <param name="type">Its type.</param>
/// <param name="reason">The reason and the remedy, without a final period.</param>
/// <param name="value">The value; null if it is only read.</param>
internal sealed class UnserializableValueException(Type type, string reason, object? value = null) : Exception(reason)
{
    public Type Type => type;

    public object? Value => value;
}
