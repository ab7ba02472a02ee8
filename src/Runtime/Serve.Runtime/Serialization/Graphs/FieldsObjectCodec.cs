using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.Serialization;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>
/// Objects of classes, field by field. Objects of a closed set of immutable instances ("smart enums": only private constructors, all fields read-only) that a
/// static field holds are sent as that field, so that comparing them by reference still works.
/// </summary>
internal sealed class FieldsObjectCodec : ObjectCodec
{
    private readonly Action<GraphWriter, object> _write;
    private readonly Action<GraphReader, object> _read;
    private readonly BaseContentCodec? _base;
    private readonly MethodInfo[] _callbacks;
    private readonly object?[] _known;

    public FieldsObjectCodec(GraphCodecSet codecs, Type type)
        : base(type)
    {
        var accessors = FieldAccessors.Create(codecs, type);
        _write = accessors.CreateWriter<Action<GraphWriter, object>>();
        _read = accessors.CreateReader<Action<GraphReader, object>>();
        _base = BaseContentCodec.Find(codecs, type);
        _callbacks = [.. TypeLevels(type).Reverse().SelectMany(level => level.GetMethods(SerializedFields.Own)).Where(method => method.IsDefined(typeof(OnDeserializedAttribute), inherit: false))];
        _known = FindKnownInstances(type);
    }

    public override void Write(GraphWriter writer, object value)
    {
        if (_known.Length > 0)
        {
            var position = Array.FindIndex(_known, known => ReferenceEquals(known, value));
            writer.WriteInt(position + 1);
            if (position >= 0)
                return;
        }

        _base?.Write(writer, value);
        _write(writer, value);
    }

    public override object Read(GraphReader reader, int id)
    {
        if (_known.Length > 0 && reader.ReadInt() is > 0 and var position)
        {
            var known = position <= _known.Length ? _known[position - 1] ?? throw GraphReader.Damaged() : throw GraphReader.Damaged();
            reader.SetObject(id, known);
            return known;
        }

        var value = RuntimeHelpers.GetUninitializedObject(Type);
        reader.SetObject(id, value);
        _base?.Read(reader, id, value);
        _read(reader, value);
        foreach (var callback in _callbacks)
            reader.OnCompleted(() => Invoke(callback, value));
        return value;
    }

    private static void Invoke(MethodInfo callback, object value) =>
        callback.Invoke(value, BindingFlags.DoNotWrapExceptions, null, callback.GetParameters().Length == 0 ? [] : [default(StreamingContext)], null);

    private static object?[] FindKnownInstances(Type type)
    {
        var constructors = type.GetConstructors(SerializedFields.Own);
        if (constructors.Length == 0 || !Array.TrueForAll(constructors, constructor => constructor.IsPrivate) || !Array.TrueForAll(SerializedFields.Of(type), field => field.IsInitOnly))
            return [];
        return
        [
            .. TypeLevels(type).SelectMany(level => level.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                .Where(field => field.IsInitOnly && field.FieldType != typeof(object) && field.FieldType.IsAssignableFrom(type)).Select(field => field.GetValue(null)),
        ];
    }

    private static IEnumerable<Type> TypeLevels(Type type)
    {
        for (var level = type; level is not null && level != typeof(object); level = level.BaseType)
            yield return level;
    }
}

/// <summary>Content of a base class of the platform whose fields are not sent as they are.</summary>
internal abstract class BaseContentCodec
{
    public static BaseContentCodec? Find(GraphCodecSet codecs, Type type)
    {
        if (typeof(Exception).IsAssignableFrom(type))
            return new ExceptionContentCodec(codecs);
        for (var level = type.BaseType; level is not null; level = level.BaseType)
        {
            if (SerializedFields.IsHashCollection(level))
                return (BaseContentCodec)Activator.CreateInstance(typeof(HashBaseContentCodec<>).MakeGenericType(level.GetGenericArguments()[0]), codecs.CreateHashContent(level))!;
        }

        return null;
    }

    public abstract void Write(GraphWriter writer, object value);

    public abstract void Read(GraphReader reader, int id, object value);

    private sealed class HashBaseContentCodec<TKey>(HashContentCodec<TKey> content) : BaseContentCodec
        where TKey : notnull
    {
        public override void Write(GraphWriter writer, object value) => content.Write(writer, value);

        public override void Read(GraphReader reader, int id, object value) => content.Read(reader, id, value);
    }

    /// <summary>Stack trace and <see cref="Exception.Data"/>. The other fields of <see cref="Exception"/> are sent as they are.</summary>
    private sealed class ExceptionContentCodec(GraphCodecSet codecs) : BaseContentCodec
    {
        private readonly MemberCodec<object?> _item = codecs.Member<object?>();

        public override void Write(GraphWriter writer, object value)
        {
            var exception = (Exception)value;
            writer.WriteText(exception.StackTrace);
            writer.WriteInt(exception.Data.Count);
            foreach (DictionaryEntry entry in exception.Data)
            {
                _item.Write(writer, entry.Key);
                _item.Write(writer, entry.Value);
            }
        }

        public override void Read(GraphReader reader, int id, object value)
        {
            var exception = (Exception)value;
            if (reader.ReadText() is { } stack)
                ExceptionDispatchInfo.SetRemoteStackTrace(exception, stack);
            for (var rest = reader.ReadCount(2); rest > 0; rest--)
            {
                var key = _item.Read(reader) ?? throw GraphReader.Damaged();
                exception.Data[key] = _item.Read(reader);
            }
        }
    }
}
