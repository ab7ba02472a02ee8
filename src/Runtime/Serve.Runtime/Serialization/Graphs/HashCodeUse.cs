using System.Collections.Frozen;
using System.Reflection;
using System.Reflection.Emit;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>
/// Finds hash codes that a class stores. Hash codes of strings and of <see cref="HashCode"/> differ between processes, so a stored one is wrong in another process.
/// </summary>
internal static class HashCodeUse
{
    private static readonly FrozenDictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Static | BindingFlags.Public)
        .Select(field => (OpCode)field.GetValue(null)!).Where(code => code.OpCodeType != OpCodeType.Nternal).ToFrozenDictionary(code => code.Value);

    /// <summary>Returns the names of the fields that <c>GetHashCode</c> of a class assigns: caches, which are computed again if they have their default value.</summary>
    public static IReadOnlyCollection<string> FindCaches(Type level) =>
        level.GetMethod(nameof(GetHashCode), SerializedFields.Own, []) is not { } method
            ? []
            : [.. Instructions(method).Where(step => step.Code == OpCodes.Stfld).Select(step => Resolve(level, method, step.Token)).OfType<FieldInfo>().Select(field => field.Name).Distinct()];

    /// <summary>Whether a class is a hash table: it has an array, and a method that computes a hash code and assigns elements of an array.</summary>
    public static bool IsHashTable(Type type) =>
        Array.Exists(type.GetFields(SerializedFields.Own), field => field.FieldType.IsArray) &&
        Array.Exists(type.GetMethods(SerializedFields.Own), method => method.Name is not (nameof(GetHashCode) or nameof(Equals)) && StoresByHashCode(type, method));

    private static bool StoresByHashCode(Type type, MethodInfo method)
    {
        var (hashes, stores) = (false, false);
        foreach (var (code, token) in Instructions(method))
        {
            stores |= code.Name!.StartsWith("stelem", StringComparison.Ordinal) || code == OpCodes.Ldelema;
            hashes |= code.FlowControl == FlowControl.Call && Resolve(type, method, token) is MethodBase { Name: nameof(GetHashCode) };
        }

        return hashes && stores;
    }

    private static MemberInfo? Resolve(Type type, MethodInfo method, int token)
    {
        try
        {
            return type.Module.ResolveMember(token, type.IsGenericType ? type.GetGenericArguments() : null, method.IsGenericMethod ? method.GetGenericArguments() : null);
        }
        catch (Exception thrown) when (thrown is ArgumentException or IOException or BadImageFormatException or TypeLoadException)
        {
            return null;
        }
    }

    private static IEnumerable<(OpCode Code, int Token)> Instructions(MethodInfo method)
    {
        var bytes = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var position = 0; position < bytes.Length;)
        {
            var value = (short)bytes[position++];
            if (value == 0xfe && position < bytes.Length)
                value = (short)((value << 8) | bytes[position++]);
            if (!OpCodesByValue.TryGetValue(value, out var code))
                yield break;
            var size = OperandSize(code, bytes, position);
            yield return (code, size == 4 ? BitConverter.ToInt32(bytes, position) : 0);
            position += size;
        }
    }

    private static int OperandSize(OpCode code, byte[] bytes, int position) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(bytes, position)),
        _ => 4,
    };
}
