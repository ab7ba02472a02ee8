namespace Serve.Runtime.Methods;

/// <summary>Formats type names in C# syntax.</summary>
public static class CSharpTypeNames
{
    public static string Format(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Format(underlying) + "?";
        if (type.IsArray)
            return Format(type.GetElementType()!) + "[]";
        if (type.IsGenericType)
            return $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Format))}>";
        if (type.IsEnum)
            return type.Name;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => "bool",
            TypeCode.Byte => "byte",
            TypeCode.Char => "char",
            TypeCode.Decimal => "decimal",
            TypeCode.Double => "double",
            TypeCode.Int16 => "short",
            TypeCode.Int32 => "int",
            TypeCode.Int64 => "long",
            TypeCode.Single => "float",
            TypeCode.String => "string",
            _ => type == typeof(object) ? "object" : type.Name,
        };
    }
}
