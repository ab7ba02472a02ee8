using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>The codecs of one cluster in this process, created when a type is first used. Thread-safe.</summary>
/// <param name="serializers">Serializers of the user, which have precedence.</param>
/// <param name="runtimeForms">Forms of types of the runtime.</param>
internal sealed class GraphCodecSet(IReadOnlyDictionary<Type, ValueSerializer> serializers, IReadOnlyList<RuntimeTypeForm> runtimeForms)
{
    private readonly ConcurrentDictionary<Type, MemberCodec> _members = new();
    private readonly ConcurrentDictionary<Type, ObjectCodec> _objects = new();

    /// <summary>Whether the user serializes values that are otherwise copied bytewise.</summary>
    public bool HasCustomValues { get; } = serializers.Keys.Any(type => type.IsValueType || type == typeof(string));

    public MemberCodec<T> Member<T>() => (MemberCodec<T>)Member(typeof(T));

    public MemberCodec Member(Type type) => _members.TryGetValue(type, out var codec) ? codec : _members.GetOrAdd(type, CreateMember(type));

    public MemberCodec Member(FieldInfo field) => field.FieldType == typeof(nint[]) && GraphTypeRules.HasNumericPointers(field.DeclaringType!) ? new LengthsMemberCodec() : Member(field.FieldType);

    public ObjectCodec Object(Type type) => _objects.TryGetValue(type, out var codec) ? codec : _objects.GetOrAdd(type, CreateObject(type));

    /// <summary>Whether values of a type are copied bytewise.</summary>
    public bool IsRaw(Type type) => ValueTypeTraits.IsUnmanaged(type) && !(HasCustomValues && ContainsCustom(type));

    public bool IsRaw(FieldInfo field) => IsRaw(field.FieldType) || (GraphTypeRules.HasNumericPointers(field.DeclaringType!) && HasNoReferences(field.FieldType));

    /// <summary>Creates the codec of the content of a dictionary or hash set.</summary>
    public object CreateHashContent(Type type) => CreateGeneric<object>(
        type.GetGenericTypeDefinition() == typeof(Dictionary<,>) ? typeof(DictionaryContentCodec<,>) : typeof(HashSetContentCodec<>), type.GetGenericArguments(), this);

    private static bool HasNoReferences(Type type) => type.IsPrimitive || (type.IsValueType && Array.TrueForAll(type.GetFields(SerializedFields.Own), field => HasNoReferences(field.FieldType)));

    private bool ContainsCustom(Type type) =>
        serializers.ContainsKey(type) || (!type.IsPrimitive && !type.IsEnum && Array.Exists(type.GetFields(SerializedFields.Own), field => ContainsCustom(field.FieldType)));

    private static T CreateGeneric<T>(Type definition, Type[] types, params object[] arguments) => (T)Activator.CreateInstance(definition.MakeGenericType(types), arguments)!;

    private MemberCodec CreateMember(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type.IsByRefLike)
            throw new UnserializableValueException(type, GraphTypeRules.FindObstacle(type)!);
        if (type.IsValueType && serializers.TryGetValue(type, out var serializer))
            return CreateGeneric<MemberCodec>(typeof(CustomMemberCodec<>), [type], serializer);
        if (type == typeof(string) && !serializers.ContainsKey(type))
            return new TextMemberCodec();
        if (!type.IsValueType)
            return CreateGeneric<MemberCodec>(typeof(ReferenceMemberCodec<>), [type], this);
        if (IsRaw(type))
            return CreateGeneric<MemberCodec>(typeof(RawMemberCodec<>), [type]);
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return CreateGeneric<MemberCodec>(typeof(NullableMemberCodec<>), [underlying], this);
        if (GraphTypeRules.FindObstacle(type) is { } obstacle)
            return CreateGeneric<MemberCodec>(typeof(RefusedMemberCodec<>), [type], obstacle);
        if (PlatformForms.Find(type) is { } form)
            return (MemberCodec)form(this);
        if (type.GetCustomAttribute<InlineArrayAttribute>() is { Length: var length })
            return CreateGeneric<MemberCodec>(typeof(InlineArrayMemberCodec<,>), [type, type.GetFields(SerializedFields.Own)[0].FieldType], this, length);
        return CreateGeneric<MemberCodec>(ValueTypeTraits.Is(type, typeof(ReadOnlyMemory<>)) ? typeof(MemoryMemberCodec<>) : typeof(StructMemberCodec<>), ValueTypeTraits.Is(type, typeof(ReadOnlyMemory<>)) ? type.GetGenericArguments() : [type], this);
    }

    private ObjectCodec CreateObject(Type type)
    {
        if (serializers.TryGetValue(type, out var serializer))
            return new CustomObjectCodec(type, serializer);
        if (type.IsValueType || type == typeof(string))
            return CreateGeneric<ObjectCodec>(typeof(BoxedObjectCodec<>), [type], this);
        if (type.IsArray)
            return type.IsSZArray ? CreateGeneric<ObjectCodec>(typeof(ArrayObjectCodec<>), [type.GetElementType()!], this) : new MultiDimensionalArrayObjectCodec(this, type);
        if (ValueTypeTraits.Is(type, typeof(List<>)))
            return CreateGeneric<ObjectCodec>(typeof(ListObjectCodec<>), type.GetGenericArguments(), this);
        if (SerializedFields.IsHashCollection(type))
            return CreateGeneric<ObjectCodec>(typeof(HashObjectCodec<>), [type.GetGenericArguments()[0]], type, CreateHashContent(type));
        if (TryCreateForm(type, out var codec))
            return codec;
        if (FindQueryElement(type) is { } element)
            return new SequenceObjectCodec(type, element);
        if ((GraphTypeRules.FindObstacle(type) ?? GraphTypeRules.FindClassObstacle(type)) is { } obstacle)
            return new RefusedObjectCodec(type, obstacle);
        try
        {
            return new FieldsObjectCodec(this, type);
        }
        catch (UnserializableValueException refused)
        {
            return new RefusedObjectCodec(type, refused.Message);
        }
    }

    private bool TryCreateForm(Type type, [NotNullWhen(true)] out ObjectCodec? codec)
    {
        codec = null;
        for (var level = type; level is not null && level != typeof(object) && codec is null; level = level.BaseType)
        {
            if (ValueTypeTraits.Is(level, typeof(ObjectRef<>)))
                codec = CreateGeneric<ObjectCodec>(typeof(ObjectRefObjectCodec<>), level.GetGenericArguments());
            else if (ValueTypeTraits.Is(level, typeof(ActorHandle<>)))
                codec = CreateGeneric<ObjectCodec>(typeof(ActorHandleObjectCodec<>), level.GetGenericArguments());
            else if (ValueTypeTraits.Is(level, typeof(ActorQueue<>)))
                codec = RuntimeTypeForm.CreateQueueCodec(this, level.GetGenericArguments()[0]);
            else if (runtimeForms.FirstOrDefault(form => form.Type == level) is { } runtimeForm)
                codec = runtimeForm.Create(this);
            else if (level == type || GraphTypeRules.IsPlatform(type) || level == typeof(Regex))
                codec = PlatformForms.Find(level)?.Invoke(this) as ObjectCodec;
        }

        return codec is not null;
    }

    private static Type? FindQueryElement(Type type)
    {
        var isQuery = type.Name.Contains(">d__", StringComparison.Ordinal) || (type.Namespace == "System.Linq" && !type.IsPublic);
        return isQuery ? Array.Find(type.GetInterfaces(), candidate => ValueTypeTraits.Is(candidate, typeof(IEnumerable<>)))?.GetGenericArguments()[0] : null;
    }
}
