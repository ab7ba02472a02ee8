using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Methods;

/// <summary>Default values of parameters, and errors for arguments that do not fit.</summary>
public static class ParameterDefaultValue
{
    public static bool AcceptsNull(Type type) => !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;

    public static object? GetValue(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        var value = parameter.DefaultValue;
        if (value is null)
            return AcceptsNull(type) ? null : RuntimeHelpers.GetUninitializedObject(type);
        // The metadata of an optional enum parameter holds its number.
        var target = Nullable.GetUnderlyingType(type) ?? type;
        return target.IsEnum && !target.IsInstanceOfType(value) ? Enum.ToObject(target, value) : value;
    }

    public static BadInputException CreateMismatch(ActorMethodInvoker method, int index, string came, Exception inner) =>
        new($"{method.FullName}: argument {index + 1}, '{method.Parameters[index].Name}', must be {CSharpTypeNames.Format(method.Parameters[index].ParameterType)}, "
            + $"but was {came}. {inner.Message}", inner);
}
