package devissuer

import (
	"github.com/siyiban/onething/engine/access"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

// Names of the identities that do not depend on a department.
const (
	Resident       = "resident"
	SecondResident = "resident2"
	Graduate       = "graduate"
	Retiree        = "retiree"
	Survivor       = "survivor"
	Company        = "company"
	Clerk          = "clerk"
	Configurator   = "configurator"
	SecondPerson   = "configurator2"
	Operator       = "operator"
)

// Officer returns the name of the officer of a department.
func Officer(department string) string { return "officer-" + department }

// Developer returns the name of the developer of a department.
func Developer(department string) string { return "developer-" + department }

// System returns the name, and client id, of the system of a department.
func System(department string) string { return "system-" + department }

// Claims of the tokens, beside those of the standard.
const (
	claimRoles      = "roles"
	claimDepartment = "department"
	claimPerson     = "citizen_number"
	claimEnterprise = "credit_code"
)

// Identity is somebody who can sign in. Numbers are made up: the check characters are right, the bearers do not exist.
type Identity struct {
	Name          string // by which it is picked; the subject of its tokens
	Title         string // Chinese, for the list
	Roles         []string
	Department    string
	CitizenNumber string
	CreditCode    string
	System        bool // signs in as a client, not as a person
}

func identities(departments []Department) []Identity {
	list := []Identity{
		{Name: Resident, Title: "居民 周雨桐", Roles: []string{"resident"}, CitizenNumber: "321323199304180029"},
		{Name: SecondResident, Title: "居民 陈志远", Roles: []string{"resident"}, CitizenNumber: "32132319910722001X"},
		{Name: Graduate, Title: "居民 沈佳宁（初次就业）", Roles: []string{"resident"}, CitizenNumber: "321323200401150521"},
		{Name: Retiree, Title: "居民 孙建平（退休）", Roles: []string{"resident"}, CitizenNumber: "321323196512200334"},
		{Name: Survivor, Title: "居民 吴秀梅（遗属）", Roles: []string{"resident"}, CitizenNumber: "321323197402260648"},
		{Name: Company, Title: "企业经办人 沈立新（泗阳新桥纺织有限公司）", Roles: []string{"company"}, CitizenNumber: "321323198506110059", CreditCode: "91321323MA1X7K2Q0X"}, //nolint:gosec // the code of an enterprise that does not exist, no credential
		{Name: Clerk, Title: "政务服务大厅综合窗口人员", Roles: []string{"clerk"}},
		{Name: Configurator, Title: "事项配置人员", Roles: []string{"configurator"}},
		{Name: SecondPerson, Title: "事项配置复核人员", Roles: []string{"configurator"}},
		{Name: Operator, Title: "平台运行人员", Roles: []string{"operator"}},
	}
	for _, d := range departments {
		list = append(list,
			Identity{Name: Officer(d.ID), Title: d.Name + " 经办人员", Roles: []string{"officer"}, Department: d.ID},
			Identity{Name: Developer(d.ID), Title: d.Name + " 插件开发人员", Roles: []string{"developer"}, Department: d.ID},
			Identity{Name: System(d.ID), Title: d.Name + " 业务系统", Department: d.ID, System: true})
	}
	return list
}

// Claims returns what the issuer's claims mean, for the API's verifier.
func (i *Issuer) Claims() access.Claims {
	systems := make(map[string]string)
	for _, who := range i.identities {
		if who.System {
			systems[who.Name] = who.Department
		}
	}
	return access.Claims{
		Roles: claimRoles,
		RoleValues: map[string]accessv1.Role{
			"resident":     accessv1.Role_ROLE_RESIDENT,
			"company":      accessv1.Role_ROLE_COMPANY,
			"clerk":        accessv1.Role_ROLE_CLERK,
			"officer":      accessv1.Role_ROLE_OFFICER,
			"configurator": accessv1.Role_ROLE_CONFIGURATOR,
			"operator":     accessv1.Role_ROLE_OPERATOR,
			"developer":    accessv1.Role_ROLE_DEVELOPER,
		},
		Department: claimDepartment,
		Person:     claimPerson,
		Enterprise: claimEnterprise,
		Systems:    systems,
	}
}
