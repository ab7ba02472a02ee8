using System.Collections;
using System.Collections.Frozen;
using System.Collections.Specialized;
using System.Data;
using System.Dynamic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Forms of classes and structures of the platform that are not sent field by field, by full name so that only assemblies in use are loaded.</summary>
internal static class PlatformForms
{
    private static readonly XmlWriterSettings EntitizedXml = new() { NewLineHandling = NewLineHandling.Entitize };

    private static readonly FrozenDictionary<string, Func<GraphCodecSet, object>> Simple = new Dictionary<string, Func<GraphCodecSet, object>>
    {
        ["System.Type"] = codecs => Form<Type, string>(codecs, NameOf, name => ValueTypeTraits.Find(name) ?? throw new InvalidDataException($"Type {name} was not found in this process.")),
        ["System.Uri"] = codecs => Form<Uri, (string, bool)>(codecs, uri => (uri.OriginalString, uri.IsAbsoluteUri), parts => new(parts.Item1, parts.Item2 ? UriKind.Absolute : UriKind.Relative)),
        ["System.Text.RegularExpressions.Regex"] = codecs => Form<Regex, (string, RegexOptions, TimeSpan)>(
            codecs, regex => (regex.ToString(), regex.Options, regex.MatchTimeout), parts => new(parts.Item1, parts.Item2, parts.Item3)),
        ["System.Globalization.CultureInfo"] = codecs => Form<CultureInfo, (string, bool, bool)>(
            codecs,
            culture => (CultureComparison.RequireUnchanged(culture).Name, culture.IsReadOnly, culture.UseUserOverride),
            parts => parts.Item2 ? CultureInfo.ReadOnly(new(parts.Item1, parts.Item3)) : new(parts.Item1, parts.Item3)),
        ["System.TimeZoneInfo"] = codecs => Form<TimeZoneInfo, (string, bool)>(
            codecs,
            zone => TimeZoneInfo.TryFindSystemTimeZoneById(zone.Id, out var system) && system.HasSameRules(zone) ? (zone.Id, true) : (zone.ToSerializedString(), false),
            parts => parts.Item2 ? TimeZoneInfo.FindSystemTimeZoneById(parts.Item1) : TimeZoneInfo.FromSerializedString(parts.Item1)),
        ["System.Net.IPAddress"] = codecs => Form<IPAddress, (byte[], long)>(
            codecs,
            address => (address.GetAddressBytes(), address.AddressFamily == AddressFamily.InterNetworkV6 ? address.ScopeId : 0),
            parts => parts.Item1.Length == 16 ? new(parts.Item1, parts.Item2) : new(parts.Item1)),
        ["System.Text.StringBuilder"] = codecs => Form<StringBuilder, (string, int, int)>(
            codecs, text => (text.ToString(), text.Capacity, text.MaxCapacity), parts => new StringBuilder(Math.Min(parts.Item1.Length, parts.Item3), parts.Item3).Append(parts.Item1)),
        ["System.Collections.BitArray"] = codecs => Form<BitArray, bool[]>(codecs, bits => [.. bits.Cast<bool>()], values => new(values)),
        ["System.Text.Encoding"] = codecs => Form<Encoding, (string?, bool)>(codecs, NameOf, parts => parts.Item1 is null ? new UTF8Encoding(false, parts.Item2) : Encoding.GetEncoding(parts.Item1)),
        ["System.IO.FileInfo"] = codecs => Form<FileInfo, string>(codecs, file => file.ToString(), path => new(path)),
        ["System.IO.DirectoryInfo"] = codecs => Form<DirectoryInfo, string>(codecs, folder => folder.ToString(), path => new(path)),
        ["System.Net.Http.HttpMethod"] = codecs => Form<HttpMethod, string>(codecs, method => method.Method, name => new(name)),
        ["System.Xml.Linq.XDocument"] = codecs => Form<XDocument, string>(codecs, document => WriteXml(document.Save), text => XDocument.Parse(text, LoadOptions.PreserveWhitespace)),
        ["System.Xml.Linq.XElement"] = codecs => Form<XElement, string>(codecs, element => WriteXml(element.Save), text => XElement.Parse(text, LoadOptions.PreserveWhitespace)),
        ["System.Text.Json.JsonDocument"] = codecs => Form<JsonDocument, string>(codecs, document => document.RootElement.GetRawText(), text => JsonDocument.Parse(text)),
        ["System.Text.Json.Nodes.JsonNode"] = codecs => Form<JsonNode, string>(codecs, node => node.ToJsonString(), text => JsonNode.Parse(text)!),
        ["System.Text.Json.JsonElement"] = codecs => new SurrogateMemberCodec<JsonElement, string?>(
            codecs, element => element.ValueKind == JsonValueKind.Undefined ? null : element.GetRawText(), text => text is null ? default : JsonDocument.Parse(text).RootElement),
        ["System.Data.DataTable"] = codecs => Form<DataTable, (string, string, string)>(codecs, DataForms.Write, DataForms.Read),
        ["System.Data.DataSet"] = codecs => Form<DataSet, (string, string)>(codecs, DataForms.WriteSet, DataForms.ReadSet),
        ["System.StringComparer"] = codecs => Form<StringComparer, (string?, int)>(codecs, Describe, parts => parts.Item1 is null
            ? parts.Item2 == 1 ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal
            : StringComparer.Create(CultureInfo.GetCultureInfo(parts.Item1), (CompareOptions)parts.Item2)),
        ["System.Collections.Generic.ReferenceEqualityComparer"] = codecs => Form<ReferenceEqualityComparer, bool>(codecs, _ => true, _ => ReferenceEqualityComparer.Instance),
        ["System.DBNull"] = codecs => Form<DBNull, bool>(codecs, _ => true, _ => DBNull.Value),
        ["System.Threading.Lock"] = codecs => Form<Lock, bool>(codecs, gate => !gate.IsHeldByCurrentThread ? true : throw new UnserializableValueException(typeof(Lock), "the lock is held"), _ => new()),
        ["System.Dynamic.ExpandoObject"] = codecs => Form<ExpandoObject, KeyValuePair<string, object?>[]>(codecs, value => [.. value], Expand),
        ["System.Collections.Specialized.NameValueCollection"] = codecs => Form<NameValueCollection, (string?, string[]?)[]>(
            codecs, values => [.. values.AllKeys.Select(key => (key, values.GetValues(key)))], Collect),
        ["System.Collections.Hashtable"] = codecs => Form<Hashtable, (IEqualityComparer?, (object, object?)[])>(
            codecs, table => (HashtableComparer.Of(table), [.. table.Cast<DictionaryEntry>().Select(entry => (entry.Key, entry.Value))]), parts => Fill(new(parts.Item1), parts.Item2)),
        ["System.Collections.ArrayList"] = codecs => Form<ArrayList, object?[]>(codecs, list => list.ToArray(), items => new(items)),
    }.ToFrozenDictionary();

    /// <summary>Returns the form of a type, which creates a <see cref="MemberCodec"/> for a structure and an <see cref="ObjectCodec"/> for a class.</summary>
    public static Func<GraphCodecSet, object>? Find(Type type)
    {
        if (!GraphTypeRules.IsPlatform(type))
            return null;
        return type.IsGenericType ? CollectionForms.Find(type) : type.FullName is { } name && Simple.TryGetValue(name, out var form) ? form : null;
    }

    private static SurrogateObjectCodec<T, TSurrogate> Form<T, TSurrogate>(GraphCodecSet codecs, Func<T, TSurrogate> convert, Func<TSurrogate, T> restore)
        where T : class => new(codecs, convert, restore);

    private static string NameOf(Type type) => type.AssemblyQualifiedName is { } name && ValueTypeTraits.Find(name) == type
        ? name
        : throw new UnserializableValueException(typeof(Type), "the type cannot be found by name in another process", type);

    private static (string?, bool) NameOf(Encoding encoding)
    {
        if (Encoding.GetEncoding(encoding.WebName).Equals(encoding))
            return (encoding.WebName, false);
        foreach (var throws in (ReadOnlySpan<bool>)[false, true])
        {
            if (new UTF8Encoding(false, throws).Equals(encoding))
                return (null, throws);
        }

        throw new UnserializableValueException(encoding.GetType(), "an encoding with its own fallbacks cannot be recreated. Pass its name", encoding);
    }

    private static (string?, int) Describe(StringComparer comparer)
    {
        if (StringComparer.IsWellKnownOrdinalComparer(comparer, out var ignoresCase))
            return (null, ignoresCase ? 1 : 0);
        return StringComparer.IsWellKnownCultureAwareComparer(comparer, out var culture, out var options)
            ? (culture.Name, (int)options)
            : throw new UnserializableValueException(comparer.GetType(), "the kind of this string comparer is unknown", comparer);
    }

    private static string WriteXml(Action<XmlWriter> write)
    {
        var text = new StringWriter();
        using (var writer = XmlWriter.Create(text, EntitizedXml))
            write(writer);
        return text.ToString();
    }

    private static ExpandoObject Expand(KeyValuePair<string, object?>[] items)
    {
        var value = new ExpandoObject();
        foreach (var (key, item) in items)
            value.TryAdd(key, item);
        return value;
    }

    private static NameValueCollection Collect((string? Name, string[]? Values)[] items)
    {
        var collection = new NameValueCollection();
        foreach (var (name, values) in items)
        {
            foreach (var value in values ?? [null!])
                collection.Add(name, value);
        }

        return collection;
    }

    private static Hashtable Fill(Hashtable table, (object Key, object? Value)[] items)
    {
        foreach (var (key, value) in items)
            table.Add(key, value);
        return table;
    }

    /// <summary>Gives access to the comparer of a hash table, which has no public property.</summary>
    private static class HashtableComparer
    {
        [System.Runtime.CompilerServices.UnsafeAccessor(System.Runtime.CompilerServices.UnsafeAccessorKind.Method, Name = "get_EqualityComparer")]
        private static extern IEqualityComparer? GetComparer(Hashtable table);

        public static IEqualityComparer? Of(Hashtable table) => GetComparer(table);
    }

    /// <summary>Tables and sets of data, as schema and DiffGram, so that the states of rows are preserved.</summary>
    private static class DataForms
    {
        // A table without a name cannot be written.
        private const string Unnamed = "table";

        public static (string, string, string) Write(DataTable table)
        {
            var copy = table.Copy();
            if (copy.TableName.Length == 0)
                copy.TableName = Unnamed;
            return (table.TableName, Text(copy.WriteXmlSchema), Text(writer => copy.WriteXml(writer, XmlWriteMode.DiffGram)));
        }

        public static DataTable Read((string Name, string Schema, string Rows) parts)
        {
            var table = new DataTable();
            table.ReadXmlSchema(new StringReader(parts.Schema));
            table.ReadXml(new StringReader(parts.Rows));
            table.TableName = parts.Name;
            return table;
        }

        public static (string, string) WriteSet(DataSet set) => (Text(set.WriteXmlSchema), Text(writer => set.WriteXml(writer, XmlWriteMode.DiffGram)));

        public static DataSet ReadSet((string Schema, string Rows) parts)
        {
            var set = new DataSet();
#pragma warning disable CA5366 // These overloads resolve nothing, and preserve line ends.
            set.ReadXmlSchema(new StringReader(parts.Schema));
            set.ReadXml(new StringReader(parts.Rows), XmlReadMode.DiffGram);
#pragma warning restore CA5366
            return set;
        }

        private static string Text(Action<TextWriter> write)
        {
            var text = new StringWriter();
            write(text);
            return text.ToString();
        }
    }

    /// <summary>Compares a culture with the culture of its name, since only the name is sent.</summary>
    private static class CultureComparison
    {
        public static CultureInfo RequireUnchanged(CultureInfo culture) => culture.IsReadOnly || IsUnchanged(culture)
            ? culture
            : throw new UnserializableValueException(typeof(CultureInfo), "a modified culture cannot be recreated. Pass its name and the changes", culture);

        private static bool IsUnchanged(CultureInfo culture)
        {
            var original = new CultureInfo(culture.Name, culture.UseUserOverride);
            return culture.Calendar.GetType() == original.Calendar.GetType() && HaveEqualProperties(culture.NumberFormat, original.NumberFormat) && HaveEqualProperties(culture.DateTimeFormat, original.DateTimeFormat);
        }

        private static bool HaveEqualProperties(object one, object other) => one.GetType().GetProperties()
            .Where(property => property is { CanWrite: true, GetMethod.IsPublic: true, Name: not "Calendar" })
            .All(property => StructuralComparisons.StructuralEqualityComparer.Equals(property.GetValue(one), property.GetValue(other)));
    }
}
