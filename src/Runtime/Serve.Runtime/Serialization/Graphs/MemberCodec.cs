namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Writes and reads the values of one declared type: of a field, an element or the root. Stateless except for caches; one per type and set.</summary>
internal abstract class MemberCodec
{
    /// <summary>Minimum number of bytes of a value, at least 1.</summary>
    public virtual int MinimumSize => 1;

    public abstract void WriteObject(GraphWriter writer, object? value);

    public abstract object? ReadObject(GraphReader reader);
}

/// <inheritdoc/>
internal abstract class MemberCodec<T> : MemberCodec
{
    public abstract void Write(GraphWriter writer, T value);

    public abstract T Read(GraphReader reader);

    public sealed override void WriteObject(GraphWriter writer, object? value) => Write(writer, (T)value!);

    public sealed override object? ReadObject(GraphReader reader) => Read(reader);
}

/// <summary>Unmanaged values, by their memory.</summary>
internal sealed class RawMemberCodec<T> : MemberCodec<T>
{
    public override int MinimumSize => System.Runtime.CompilerServices.Unsafe.SizeOf<T>();

    public override void Write(GraphWriter writer, T value) => writer.WriteRaw(value);

    public override T Read(GraphReader reader) => reader.ReadRaw<T>();
}

/// <summary>Strings. Equal strings are written again, since their identity has no meaning.</summary>
internal sealed class TextMemberCodec : MemberCodec<string?>
{
    public override void Write(GraphWriter writer, string? value) => writer.WriteText(value);

    public override string? Read(GraphReader reader) => reader.ReadText();
}

/// <summary>Values of a structure that cannot be sent.</summary>
internal sealed class RefusedMemberCodec<T>(string reason) : MemberCodec<T>
{
    public override void Write(GraphWriter writer, T value) => throw new UnserializableValueException(typeof(T), reason, value);

    public override T Read(GraphReader reader) => throw new UnserializableValueException(typeof(T), reason);
}

/// <summary>Nullable structures.</summary>
internal sealed class NullableMemberCodec<T>(GraphCodecSet codecs) : MemberCodec<T?>
    where T : struct
{
    private readonly MemberCodec<T> _value = codecs.Member<T>();

    public override void Write(GraphWriter writer, T? value)
    {
        writer.WriteRaw(value.HasValue);
        if (value.HasValue)
            _value.Write(writer, value.GetValueOrDefault());
    }

    public override T? Read(GraphReader reader) => reader.ReadRaw<bool>() ? _value.Read(reader) : null;
}

/// <summary>Structures with references, field by field.</summary>
internal class StructMemberCodec<T>(GraphCodecSet codecs) : MemberCodec<T>
    where T : struct
{
    private FieldWriter<T>? _write;
    private FieldReader<T>? _read;

    public override void Write(GraphWriter writer, T value)
    {
        if (_write is null)
            Create();
        _write!(writer, ref value);
    }

    public override T Read(GraphReader reader)
    {
        if (_read is null)
            Create();
        T value = default;
        _read!(reader, ref value);
        return value;
    }

    // Deferred, since a structure can contain an array of itself.
    private void Create()
    {
        var fields = FieldAccessors.Create(codecs, typeof(T));
        _read = fields.CreateReader<FieldReader<T>>();
        _write = fields.CreateWriter<FieldWriter<T>>();
    }
}

/// <summary>Memory that is backed by an array or a string, with its owner; other memory is copied to an array.</summary>
internal sealed class MemoryMemberCodec<T>(GraphCodecSet codecs) : StructMemberCodec<ReadOnlyMemory<T>>(codecs)
{
    public override void Write(GraphWriter writer, ReadOnlyMemory<T> value)
    {
        var hasOwner = System.Runtime.InteropServices.MemoryMarshal.TryGetArray(value, out _) ||
            (value is ReadOnlyMemory<char> text && System.Runtime.InteropServices.MemoryMarshal.TryGetString(text, out _, out _, out _));
        base.Write(writer, hasOwner ? value : value.ToArray());
    }
}

/// <summary>Structures that are written as another value.</summary>
internal sealed class SurrogateMemberCodec<T, TSurrogate>(GraphCodecSet codecs, Func<T, TSurrogate> convert, Func<TSurrogate, T> restore) : MemberCodec<T>
{
    private readonly MemberCodec<TSurrogate> _surrogate = codecs.Member<TSurrogate>();

    public override void Write(GraphWriter writer, T value) => _surrogate.Write(writer, convert(value));

    public override T Read(GraphReader reader) => restore(_surrogate.Read(reader));
}

/// <summary>References to objects of the declared type or of any type derived from it. Shared references and cycles are preserved.</summary>
internal sealed class ReferenceMemberCodec<T>(GraphCodecSet codecs) : MemberCodec<T?>
    where T : class
{
    private ObjectCodec? _exact;
    private ObjectCodec? _last;

    public override void Write(GraphWriter writer, T? value)
    {
        if (value is null)
        {
            writer.WriteRaw((byte)0);
            return;
        }

        var codec = CodecOf(value.GetType());
        object written = value;
        if (codec is SequenceObjectCodec sequence)
        {
            written = sequence.Evaluate(value);
            if (written is not T)
                throw new UnserializableValueException(value.GetType(), "a query runs in this process. Call ToList() and pass its items", value);
            codec = codecs.Object(written.GetType());
        }

        if (!codec.HasIdentity)
        {
            writer.SkipId();
        }
        else if (writer.TryGetId(written, out var id))
        {
            writer.CheckNotOpen(written);
            writer.WriteInt(id + 3);
            return;
        }

        if (codec.Type == typeof(T))
        {
            writer.WriteRaw((byte)1);
        }
        else
        {
            writer.WriteRaw((byte)2);
            writer.WriteType(codec);
        }

        writer.WriteContent(codec, written);
    }

    public override T? Read(GraphReader reader)
    {
        var tag = reader.ReadInt();
        if (tag == 0)
            return null;
        if (tag is < 0 or > 2)
            return reader.GetObject(tag - 3) as T ?? throw GraphReader.Damaged();
        var id = reader.NextId();
        var codec = tag == 1 ? _exact ??= codecs.Object(typeof(T)) : reader.ReadType(typeof(T));
        return reader.ReadContent(codec, id) as T ?? throw GraphReader.Damaged();
    }

    private ObjectCodec CodecOf(Type type)
    {
        if (type == typeof(T))
            return _exact ??= codecs.Object(type);
        return _last is { } last && last.Type == type ? last : _last = codecs.Object(type);
    }
}

/// <summary>Structures that repeat one field with references.</summary>
internal sealed class InlineArrayMemberCodec<T, TElement>(GraphCodecSet codecs, int length) : MemberCodec<T>
    where T : struct
{
    private MemberCodec<TElement>? _element;

    private MemberCodec<TElement> Element => _element ??= codecs.Member<TElement>();

    public override void Write(GraphWriter writer, T value)
    {
        foreach (var item in Items(ref value))
            Element.Write(writer, item);
    }

    public override T Read(GraphReader reader)
    {
        T value = default;
        foreach (ref var item in Items(ref value))
            item = Element.Read(reader);
        return value;
    }

    private Span<TElement> Items(ref T value) =>
        System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref System.Runtime.CompilerServices.Unsafe.As<T, TElement>(ref value), length);
}

/// <summary>Lengths of a tensor, which are native integers but no pointers.</summary>
internal sealed class LengthsMemberCodec : MemberCodec<nint[]?>
{
    public override void Write(GraphWriter writer, nint[]? value)
    {
        writer.WriteInt(value is null ? 0 : value.Length + 1);
        foreach (var length in value ?? [])
            writer.WriteRaw((long)length);
    }

    public override nint[]? Read(GraphReader reader)
    {
        var count = reader.ReadInt() - 1;
        if (count < 0)
            return null;
        reader.CheckCount(count, sizeof(long));
        var lengths = new nint[count];
        for (var index = 0; index < count; index++)
            lengths[index] = (nint)reader.ReadRaw<long>();
        return lengths;
    }
}
