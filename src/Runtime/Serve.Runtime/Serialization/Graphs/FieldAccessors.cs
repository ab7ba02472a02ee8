using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;

namespace Serve.Runtime.Serialization.Graphs;

internal delegate void FieldWriter<T>(GraphWriter writer, ref T value)
    where T : struct;

internal delegate void FieldReader<T>(GraphReader reader, ref T value)
    where T : struct;

/// <summary>Generated methods that write and read all fields of one type: private, read-only and inherited ones too. No constructor, property or setter runs.</summary>
internal sealed class FieldAccessors
{
    private static readonly ConcurrentDictionary<Type, (DynamicMethod Write, DynamicMethod Read)> Shared = new();

    private readonly MemberCodec?[] _members;
    private readonly (DynamicMethod Write, DynamicMethod Read) _methods;

    private FieldAccessors(MemberCodec?[] members, (DynamicMethod Write, DynamicMethod Read) methods)
    {
        _members = members;
        _methods = methods;
    }

    /// <exception cref="UnserializableValueException">A field cannot be written, whatever its value.</exception>
    public static FieldAccessors Create(GraphCodecSet codecs, Type owner)
    {
        var fields = SerializedFields.Of(owner);
        foreach (var field in fields)
        {
            if (field.FieldType.IsPointer || field.FieldType.IsFunctionPointer)
                throw new UnserializableValueException(owner, $"its field {field.Name} is a pointer, which is not valid in another process");
        }

        var members = Array.ConvertAll(fields, field => codecs.IsRaw(field) ? null : codecs.Member(field));
        (DynamicMethod, DynamicMethod) Generate(Type type) => (Emit(type, fields, members, isWriter: true), Emit(type, fields, members, isWriter: false));
        return new(members, codecs.HasCustomValues ? Generate(owner) : Shared.GetOrAdd(owner, Generate));
    }

    public TDelegate CreateWriter<TDelegate>()
        where TDelegate : Delegate => (TDelegate)_methods.Write.CreateDelegate(typeof(TDelegate), _members);

    public TDelegate CreateReader<TDelegate>()
        where TDelegate : Delegate => (TDelegate)_methods.Read.CreateDelegate(typeof(TDelegate), _members);

    // Bound to the members of a set, so that the method is generated once for all of them.
    private static DynamicMethod Emit(Type owner, FieldInfo[] fields, MemberCodec?[] members, bool isWriter)
    {
        var stream = isWriter ? typeof(GraphWriter) : typeof(GraphReader);
        Type[] parameters = [typeof(MemberCodec?[]), stream, owner.IsValueType ? owner.MakeByRefType() : typeof(object)];
        var method = new DynamicMethod((isWriter ? "Write " : "Read ") + owner.Name, null, parameters, typeof(FieldAccessors).Module, skipVisibility: true);
        var code = method.GetILGenerator();
        for (var index = 0; index < fields.Length; index++)
        {
            var field = fields[index];
            var isRaw = members[index] is null;
            if (!isWriter)
                code.Emit(OpCodes.Ldarg_2);
            if (!isRaw)
            {
                code.Emit(OpCodes.Ldarg_0);
                code.Emit(OpCodes.Ldc_I4, index);
                code.Emit(OpCodes.Ldelem_Ref);
            }

            code.Emit(OpCodes.Ldarg_1);
            if (isWriter)
            {
                code.Emit(OpCodes.Ldarg_2);
                code.Emit(OpCodes.Ldfld, field);
            }

            var access = isRaw
                ? stream.GetMethod(isWriter ? nameof(GraphWriter.WriteRaw) : nameof(GraphReader.ReadRaw))!.MakeGenericMethod(field.FieldType)
                : typeof(MemberCodec<>).MakeGenericType(field.FieldType).GetMethod(isWriter ? "Write" : "Read")!;
            code.Emit(isRaw ? OpCodes.Call : OpCodes.Callvirt, access);
            if (!isWriter)
                code.Emit(OpCodes.Stfld, field);
        }

        code.Emit(OpCodes.Ret);
        return method;
    }
}
